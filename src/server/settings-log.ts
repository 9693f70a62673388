/**
 * The settings table: `watch` and its buffers.
 */
import { integer } from './checks.ts';
import type { Setting } from './setting.ts';

const KILOBYTE = 1024;
/** In kilobytes; what can be had depends on the address space that is left. */
const LOGBUF_MAX = 1024 * KILOBYTE;

export const LOG_SETTINGS: readonly Setting[] = [
  {
    short: 'W',
    long: 'disable-watch',
    initial: { watchEnabled: true },
    help: ['disable watch commands (live logging)'],
    set: (s) => {
      s.watchEnabled = false;
    },
  },
  {
    extended: 'watcher_logbuf_size',
    argument: '<num>',
    initial: { watcherLogBytes: 256 * KILOBYTE },
    help: ['size in kilobytes of the lines that may wait for a watcher', '(default: 256)'],
    set: (s, value, given) => {
      s.watcherLogBytes = integer(given, value, 2, LOGBUF_MAX) * KILOBYTE;
    },
    stats: 'watcher_logbuf_size',
    show: (s) => String(s.watcherLogBytes),
  },
  {
    extended: 'worker_logbuf_size',
    argument: '<num>',
    initial: { workerLogBytes: 64 * KILOBYTE },
    help: [
      'size in kilobytes of what a thread may log before it is read',
      'for the watchers (default: 64)',
    ],
    set: (s, value, given) => {
      s.workerLogBytes = integer(given, value, 1, LOGBUF_MAX) * KILOBYTE;
    },
    stats: 'worker_logbuf_size',
    show: (s) => String(s.workerLogBytes),
  },
];
