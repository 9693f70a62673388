/**
 * A worker asks the main thread to read the certificates again, and waits: `refresh_certs` is
 * answered when every worker has been given the new ones, so that no connection that begins after
 * the answer can see the old.
 */
import { atomicLoad, atomicNotify, atomicStore, atomicWait } from '../memory/atomics.ts';

/* The answer: a word that becomes 1, the length of the text, the text. */
const DONE = 0;
const LENGTH = 1;
const TEXT_AT = 8;
const TEXT_BYTES = 8192;
/** The main thread never works this long at one thing. */
const PATIENCE_MS = 5000;

/** The worker's side. Returns the reason why it failed, or nothing. */
export function askForRefresh(send: (answer: SharedArrayBuffer) => void): string {
  const answer = new SharedArrayBuffer(TEXT_AT + TEXT_BYTES);
  const words = new Int32Array(answer, 0, 2);
  send(answer);
  const limit = performance.now() + PATIENCE_MS;
  while (atomicLoad(words, DONE) === 0) {
    const left = limit - performance.now();
    if (left <= 0) return 'Error the server is too busy to refresh the certificates';
    atomicWait(words, DONE, 0, left);
  }
  return Buffer.from(answer).toString('utf8', TEXT_AT, TEXT_AT + words[LENGTH]);
}

/** The main thread's side: `reason` is empty if all went well. */
export function answerRefresh(answer: SharedArrayBuffer, reason: string): void {
  const words = new Int32Array(answer, 0, 2);
  words[LENGTH] = Buffer.from(answer).write(reason, TEXT_AT, 'utf8');
  atomicStore(words, DONE, 1);
  atomicNotify(words, DONE, 1);
}
