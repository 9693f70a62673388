// A thread that ends at any moment takes the descriptors of its pump along, and those on the way.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { takeDescriptors } from '../../src/net/arrivals.ts';
import { listen } from '../../src/net/listener.ts';
import { skipWithoutAddon, theAddon } from '../support/addon.ts';

const ROUNDS = 12;
const CLIENTS = 40;
const FILE = new URL('pump-worker.ts', import.meta.url);
const skip = skipWithoutAddon();
const kinds = skip === false ? theAddon().pumpKinds() : [];

/** Says something all the time; resolves when the server has hung up. */
async function chatter(client: Socket, onAnswer: () => void): Promise<void> {
  client.on('error', () => undefined);
  client.on('data', (data) => {
    onAnswer();
    client.write(data);
  });
  client.write('ping');
  await new Promise((resolve) => client.once('close', resolve));
}

for (const kind of kinds) {
  test(`${kind}: a thread that is terminated leaves no descriptor and no client`, async (t) => {
    const addon = theAddon();
    let mailbox = 0;
    let slot = 0;
    const take = takeDescriptors(addon, (fd) => {
      if (!addon.handOver(fd, mailbox, slot++, 0)) addon.refuse(fd, new Uint8Array(0));
    });
    const [listener] = await listen({ host: '127.0.0.1', port: 0 }, CLIENTS, take);
    t.after(() => listener.close());
    let before = 0;
    for (let round = 0; round < ROUNDS; round++) {
      mailbox = addon.openMailbox();
      slot = 0;
      const worker = new Worker(FILE, { workerData: { kind, mailbox } });
      await once(worker, 'message');
      let answers = 0;
      const clients = Array.from({ length: CLIENTS }, () =>
        chatter(connect(listener.address.port, '127.0.0.1'), () => answers++),
      );
      // From the first connection on its way to all of them at work.
      await sleep(round * 2);
      while (round === ROUNDS - 1 && answers < CLIENTS) await sleep(1);
      await worker.terminate();
      addon.closeMailbox(mailbox);
      await Promise.all(clients);
      // The first round opens what stays open for all of them.
      const open = readdirSync('/proc/self/fd').length;
      if (round === 0) before = open;
      assert.ok(open <= before, `${open} descriptors after ${round} rounds, ${before} at first`);
    }
  });
}
