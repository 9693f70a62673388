/**
 * Errors that are the operator's to fix: they reach the terminal as one sentence, without a stack.
 */

/** A flag that does not exist, or a value that it cannot have. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}

/** The server cannot start as it was asked to: port in use, no such user, no memory. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

/** The text of an error for an operator: system errors without Node's decoration. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, syscall } = error as NodeJS.ErrnoException;
  const known = code === undefined ? undefined : SYSTEM_REASONS.get(code);
  if (known !== undefined) return known;
  return code === undefined || syscall === undefined
    ? error.message
    : `${syscall} failed (${code})`;
}

const SYSTEM_REASONS = new Map([
  ['EADDRINUSE', 'the address is in use'],
  ['EADDRNOTAVAIL', 'this machine does not have that address'],
  ['EACCES', 'permission denied'],
  ['EPERM', 'operation not permitted'],
  ['ENOENT', 'no such file or directory'],
  ['EISDIR', 'it is a folder'],
  ['ENOTDIR', 'a part of the path is not a directory'],
  ['ENOTFOUND', 'no such host'],
  ['EINVAL', 'invalid address'],
  ['ECONNREFUSED', 'nobody listens there'],
  ['ECONNRESET', 'the connection was cut'],
  ['EPIPE', 'the connection was cut'],
  ['ETIMEDOUT', 'no answer'],
  ['EEXIST', 'the file exists'],
  ['EISDIR', 'it is a folder'],
  ['ENOSPC', 'the disk is full'],
]);
