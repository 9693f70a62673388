/**
 * The settings table: what administrators may do over the network, and what is kept for them.
 */
import { integer } from './checks.ts';
import { SettingsError } from './errors.ts';
import { type Setting, yesNo } from './setting.ts';

const DUMP_TIMEOUT_SECONDS = 1800;

export const ADMIN_SETTINGS: readonly Setting[] = [
  {
    short: 'A',
    long: 'enable-shutdown',
    initial: { shutdownEnabled: false },
    help: ['enable ascii "shutdown" command'],
    set: (s) => {
      s.shutdownEnabled = true;
    },
    stats: 'shutdown_command',
    show: (s) => yesNo(s.shutdownEnabled),
  },
  {
    short: 'D',
    long: 'delimiter',
    argument: '<char>',
    initial: { prefixDelimiter: ':', detailEnabled: false },
    help: [
      'use <char> as the delimiter between key prefixes and IDs, and',
      "collect per-prefix stats from the start (default: ':', and not",
      'before "stats detail on" is sent)',
    ],
    set: (s, value, given) => {
      if (Buffer.byteLength(value) !== 1) {
        throw new SettingsError(`${given} must be one character, not '${value}'`);
      }
      s.prefixDelimiter = value;
      s.detailEnabled = true;
    },
    stats: 'stat_key_prefix',
    show: (s) => s.prefixDelimiter,
  },
  { stats: 'detail_enabled', show: (s) => yesNo(s.detailEnabled) },
  {
    short: 'C',
    long: 'disable-cas',
    initial: { casEnabled: true },
    help: ['disable use of CAS: items have no cas ids'],
    set: (s) => {
      s.casEnabled = false;
    },
    stats: 'cas_enabled',
    show: (s) => yesNo(s.casEnabled),
  },
  {
    short: 'F',
    long: 'disable-flush-all',
    initial: { flushEnabled: true },
    help: ['disable flush_all command'],
    set: (s) => {
      s.flushEnabled = false;
    },
    stats: 'flush_enabled',
    show: (s) => yesNo(s.flushEnabled),
  },
  {
    short: 'X',
    long: 'disable-dumping',
    initial: { dumpEnabled: true },
    help: ['disable stats cachedump, stats detail and lru_crawler dumps'],
    set: (s) => {
      s.dumpEnabled = false;
    },
    stats: 'dump_enabled',
    show: (s) => yesNo(s.dumpEnabled),
  },
  {
    extended: 'dump_timeout',
    argument: '<num>',
    initial: { dumpTimeout: DUMP_TIMEOUT_SECONDS },
    help: [
      'seconds after which a reader of lru_crawler metadump or mgdump that',
      `takes nothing is hung up on (default: ${DUMP_TIMEOUT_SECONDS})`,
    ],
    set: (s, value, given) => {
      s.dumpTimeout = integer(given, value, 1, 2 ** 31 - 1);
    },
    stats: 'dump_timeout',
    show: (s) => String(s.dumpTimeout),
  },
  {
    extended: 'test_commands',
    initial: { testCommands: false },
    help: ['for tests only: the debugtime command, which moves the clock'],
    set: (s) => {
      s.testCommands = true;
    },
  },
];
