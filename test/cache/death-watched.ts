/** What a worker may be at when it dies while somebody watches, or while it serves a watcher. */
import { Bytes } from '../../src/memory/bytes.ts';
import { addWatcher } from '../../src/memory/watchers.ts';
import { LogReader } from '../../src/protocol/log-reader.ts';
import type { Scenario } from './death-worker.ts';
import { filler, storageLine, WORKER_A, WORKER_B, type World } from './world.ts';

const SMALL = filler('small', 60);

function neighbours(world: World): void {
  for (let i = 0; i < 12; i++) world.put(`near${i}`, filler(`near${i}`, 60));
}

/** All that can be watched. */
const EVERYTHING = 0xff;

export const WATCHED: readonly Scenario[] = [
  {
    name: 'requests of all kinds while another worker watches them',
    prepare: (world) => {
      neighbours(world);
      world.put('k', '5');
      addWatcher(world.memory, WORKER_B, world.b.session.slot, EVERYTHING);
    },
    act: (world) => {
      world.a.send(`get k near0\r\nincr k 1\r\n${storageLine('set', 'l', SMALL)}delete k\r\n`);
    },
    outcomes: { k: ['5', '6'], l: [SMALL] },
  },
  {
    name: 'a set that evicts while another worker watches',
    memory: { memoryLimit: 2 ** 20 },
    prepare: (world) => {
      for (let i = 0; i < 115; i++) world.put(`fill${i}`, filler(`fill${i}`, 9000));
      addWatcher(world.memory, WORKER_B, world.b.session.slot, EVERYTHING);
    },
    act: (world) => {
      world.a.send(storageLine('set', 'k', filler('k', 9000)));
    },
    outcomes: { k: [filler('k', 9000)] },
    losses: 30,
  },
  {
    name: 'a watcher comes, hears of others and of itself, and goes',
    prepare: (world) => neighbours(world),
    act: (world) => {
      const { engine, session } = world.a;
      world.a.send('watch fetchers mutations\r\n');
      world.meanwhile(() => world.b.send('get near0 near1\r\n'));
      engine.store.drop(1, 0, new Bytes(Buffer.from('none')), 0, 4);
      new LogReader(world.memory, WORKER_A).drain(100);
      engine.resume(session);
      engine.output.reset();
      engine.close(session);
      session.stream = null;
    },
    outcomes: {},
  },
];
