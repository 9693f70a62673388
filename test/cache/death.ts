/** Lets a thread die at every seam of a scenario in turn, and checks what is left. */
import assert from 'node:assert/strict';
import type { Scenario } from './death-worker.ts';
import { filler, read, storageLine, World } from './world.ts';

/** No operation here has more seams than this; a loop that never ends would. */
const SEAMS_MAX = 20_000;

/** The first seams are all tried; from here on a scenario may say that some are passed over. */
const DENSE_SEAMS = 60;

/** Runs the scenario again and again: dead at its first seam, its second, ... undisturbed. */
export function dieEverywhere(scenario: Scenario, actor: number): void {
  const stride = scenario.stride ?? 1;
  for (let n = 1; n <= SEAMS_MAX; n += n < DENSE_SEAMS ? 1 : stride) {
    const world = new World(scenario.memory, scenario.cache);
    scenario.prepare(world);
    assert.deepEqual(world.audit(), [], `${scenario.name}: prepared`);
    const died = world.dies(n, () => scenario.act(world));
    if (died) world.recover(actor);
    else world.reconnect();
    check(world, scenario, `${scenario.name}, ${died ? `dead at seam ${n}` : 'undisturbed'}`);
    if (!died) {
      assert.ok(n > 1, 'the operation has no seam at all');
      return;
    }
  }
  assert.fail(`${scenario.name} does not end`);
}

function check(world: World, scenario: Scenario, when: string): void {
  assert.deepEqual(world.audit(), [], when);
  for (const [key, allowed] of Object.entries(scenario.outcomes)) {
    const value = read(world.b, key);
    const short = value === null ? 'nothing' : `${value.slice(0, 40)} (${value.length})`;
    assert.ok(value === null || allowed.includes(value), `${when}: ${key} holds ${short}`);
  }
  let missing = 0;
  for (const [key, expected] of world.known) {
    if (key in scenario.outcomes) continue;
    const value = read(world.b, key);
    if (value === null) missing++;
    else assert.equal(value, expected, `${when}: ${key}`);
  }
  assert.ok(missing <= (scenario.losses ?? 0), `${when}: ${missing} keys are gone`);
  for (const key of Object.keys(scenario.outcomes)) exercise(world, key, when);
  world.maintainer.round();
  assert.deepEqual(world.audit(), [], `${when}, after further use`);
}

/** The place of the dead thread is taken by one that works, also on the key it died with. */
function exercise(world: World, key: string, when: string): void {
  for (const value of [filler('afresh', 60), filler('larger', 40_000), '12']) {
    assert.equal(world.a.send(storageLine('set', key, value)), 'STORED\r\n', when);
    assert.equal(read(world.b, key), value, when);
  }
  assert.equal(world.a.send(`incr ${key} 1\r\ndelete ${key}\r\n`), '13\r\nDELETED\r\n', when);
}
