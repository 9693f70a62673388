/** What a worker may be at when it dies: a dump, or an order to the maintainer. */
import assert from 'node:assert/strict';
import { HEAD_LRU_CRAWLER } from '../../src/memory/layout.ts';
import type { Scenario } from './death-worker.ts';
import { filler, type World } from './world.ts';

function prepare(world: World): void {
  world.memory.i32[HEAD_LRU_CRAWLER] = 1;
  for (let i = 0; i < 12; i++) world.put(`near${i}`, filler(`near${i}`, 60));
  world.put('nearlarge', filler('nearlarge', 60_000));
}

function scenario(line: string, reply: RegExp): Scenario {
  return {
    name: line,
    prepare,
    act: (world) => assert.match(world.a.send(`${line}\r\n`), reply),
    outcomes: {},
  };
}

export const ADMIN_WORK: readonly Scenario[] = [
  scenario('lru_crawler metadump all', /^OK\r\n/),
  scenario('lru_crawler mgdump 1', /^OK\r\n/),
  scenario('lru_crawler crawl all', /^OK\r\n/),
  scenario('cache_memlimit 8', /^OK\r\n/),
];
