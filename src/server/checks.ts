/**
 * Reads the values of flags. Stricter than memcached's atoi(), which takes `-p abc` for port 0: a
 * value that is not wholly a number is refused, in one sentence that names the flag.
 */
import { SettingsError } from './errors.ts';

/** A whole number between min and max. */
export function integer(given: string, value: string, min: number, max: number): number {
  const number = Number(value);
  if (!/^[+-]?\d+$/.test(value) || number < min || number > max) {
    throw new SettingsError(
      max === Number.MAX_SAFE_INTEGER
        ? `${given} must be a whole number of at least ${min}, not '${value}'`
        : `${given} must be a whole number from ${min} to ${max}, not '${value}'`,
    );
  }
  return number;
}

/** A decimal number greater than `above`, and at most `max`. */
export function decimal(given: string, value: string, above: number, max = Infinity): number {
  const number = Number(value);
  if (!/^[+-]?(\d+\.?\d*|\.\d+)$/.test(value) || !(number > above) || number > max) {
    const limit = max === Infinity ? '' : ` and at most ${max}`;
    throw new SettingsError(`${given} must be a number above ${above}${limit}, not '${value}'`);
  }
  return number;
}

/** A file mode in octal, up to 777. */
export function octal(given: string, value: string): number {
  if (!/^[0-7]{1,4}$/.test(value) || Number.parseInt(value, 8) > 0o777) {
    throw new SettingsError(`${given} must be an octal mode up to 777, not '${value}'`);
  }
  return Number.parseInt(value, 8);
}

/** A number of bytes with an optional suffix k or m. */
export function bytes(given: string, value: string): number {
  const match = /^(\d+)([kKmM]?)$/.exec(value);
  if (match === null) {
    throw new SettingsError(`${given} must be a size such as 512k or 2m, not '${value}'`);
  }
  const unit = match[2].toLowerCase();
  return Number(match[1]) * (unit === 'k' ? 1024 : unit === 'm' ? 1024 * 1024 : 1);
}

/** Any text but the empty one. */
export function text(given: string, value: string): string {
  if (value === '') throw new SettingsError(`${given} needs a value that is not empty`);
  return value;
}
