/** Meta commands that a worker may be at when it dies: one scenario per kind of operation. */
import { type Scenario, simple } from './death-worker.ts';
import { filler } from './world.ts';

const SMALL = filler('small', 60);
const OTHER = filler('other', 61);
const LARGE = filler('large', 50_000);

/** An ms of k. */
function metaSet(value: string, flags: string): string {
  return `ms k ${value.length} F7 ${flags}\r\n${value}\r\n`;
}

export const META_WORK: readonly Scenario[] = [
  simple('mg that creates', null, 'mg k N100 E77 v\r\n', ['']),
  simple('mg that touches and wins', SMALL, 'mg k T100 R200 v\r\n', [SMALL]),
  simple('ms of a stale value', SMALL, metaSet(OTHER, 'I C1'), [SMALL, OTHER]),
  simple('ms with a cas id of its own', SMALL, metaSet(LARGE, 'E9 c'), [SMALL, LARGE]),
  simple('ms that appends', SMALL, metaSet(LARGE, 'MA E9 c'), [SMALL, SMALL + LARGE]),
  simple('ms that would append, and creates', null, metaSet(SMALL, 'MP N100'), [SMALL]),
  simple('md that marks as stale', SMALL, 'md k I T100 E9\r\n', [SMALL]),
  simple('md that empties', SMALL, 'md k x I\r\n', [SMALL, '']),
  simple('md that empties a large value', LARGE, 'md k x\r\n', [LARGE, '']),
  simple('ma that creates', null, 'ma k N100 J41\r\n', ['41']),
  simple('ma in place', '41', 'ma k E7 T100 v\r\n', ['41', '42']),
  simple('ma into a longer number', '99', 'ma k E7 T100 v\r\n', ['99', '100']),
];
