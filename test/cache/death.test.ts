/**
 * A thread may die at any synchronising access of any operation. After recovery nothing is lost,
 * leaked or torn: other keys have their values, the key in question has its old value, its new one
 * or none, and a new thread works in the place of the dead.
 */
import { test } from 'node:test';
import { dieEverywhere } from './death.ts';
import { ADMIN_WORK } from './death-admin.ts';
import { BINARY_WORK } from './death-binary.ts';
import { MAINTENANCE } from './death-maintainer.ts';
import { META_WORK } from './death-meta.ts';
import { WATCHED } from './death-watched.ts';
import { WORK } from './death-worker.ts';
import { MAINTAINER, WORKER_A } from './world.ts';

for (const scenario of [...WORK, ...META_WORK, ...BINARY_WORK, ...WATCHED, ...ADMIN_WORK]) {
  test(`a worker dies: ${scenario.name}`, () => dieEverywhere(scenario, WORKER_A));
}

for (const scenario of MAINTENANCE) {
  test(`the maintainer dies: ${scenario.name}`, () => dieEverywhere(scenario, MAINTAINER));
}
