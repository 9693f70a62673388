/**
 * Watchers of a running server: they see all threads, are left alone by time-outs, hold nothing up,
 * and lose lines instead of memory when they do not read.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { datagram, exchange } from '../support/datagrams.ts';
import { startWithPorts } from '../support/ports.ts';
import { slabcached } from '../support/server.ts';
import { Client, launch, pause, scratch, waitFor } from './launch.ts';

const NEVER = new Promise<never>(() => undefined);

/** A client that watches. */
async function watcher(t: TestContext, where: number | string, what: string): Promise<Client> {
  const client = new Client(t, where);
  client.socket.write(`watch ${what}\r\n`);
  // Lines may follow in the same packet.
  assert.ok(await waitFor(() => client.received.startsWith('OK\r\n'), client.closed));
  return client;
}

/** Waits until the watcher has seen as many lines that match. */
async function sees(client: Client, pattern: RegExp, count: number): Promise<string[]> {
  const found = (): string[] => client.received.split('\n').filter((line) => pattern.test(line));
  assert.ok(await waitFor(() => found().length >= count, client.closed), client.received);
  assert.equal(found().length, count);
  return found();
}

test('watchers on all workers see the requests to all workers, each once', async (t) => {
  const server = await launch(t, []);
  const watchers = [
    await watcher(t, server.port, 'mutations deletions'),
    await watcher(t, server.port, 'mutations'),
    await watcher(t, server.port, 'deletions'),
  ];
  const clients = [1, 2, 3, 4].map(() => new Client(t, server.port));
  for (const [n, client] of clients.entries()) {
    await client.ask(`set key${n} 0 0 2\r\nxx\r\ndelete key${n}\r\n`, 'DELETED\r\n');
  }
  const both = await sees(watchers[0], /type=/, 8);
  await sees(watchers[1], /type=item_store key=key\d status=stored cmd=set /, 4);
  await sees(watchers[2], /type=deleted key=key\d cmd=delete clsid=1 size=2$/, 4);
  assert.equal(new Set(both.map((line) => /gid=(\d+)/.exec(line)?.[1])).size, 8);
  assert.equal(watchers[1].received.includes('deleted'), false);
  assert.equal(await clients[0].stat('log_watchers'), '3');
  for (const one of watchers) one.socket.destroy();
  const client = clients[0];
  assert.ok(await waitFor(async () => (await client.stat('log_watchers')) === '0', NEVER));
  assert.equal(await client.stat('log_worker_written'), '8');
  assert.equal(await client.stat('log_watcher_sent'), '16');
  assert.equal(await client.stat('log_worker_dropped'), '0');
});

test('what ma creates and md empties is a mutation, the latter a deletion too', async (t) => {
  const server = await launch(t, []);
  const both = await watcher(t, server.port, 'mutations deletions');
  const client = new Client(t, server.port);
  await client.ask('ma n N30 J5\r\nma n\r\nmd n x q\r\nmg v N0\r\nmn\r\n', 'MN\r\n');
  await sees(both, /type=item_store key=n status=stored cmd=add ttl=30 .* size=1$/, 1);
  await sees(both, /type=item_store key=n status=stored cmd=set ttl=0 .* size=0$/, 1);
  await sees(both, /type=deleted key=n cmd=md clsid=1 size=0$/, 1);
  await sees(both, /type=/, 3);
});

test('a watcher sees nothing of what was before it, and is not listened to', async (t) => {
  const server = await launch(t, ['-t', '1']);
  const first = await watcher(t, server.port, 'fetchers');
  const client = new Client(t, server.port);
  await client.ask('get before\r\n', 'END\r\n');
  const second = await watcher(t, server.port, 'fetchers');
  for (let i = 0; i < 50; i++) first.socket.write(`set heard${i} 0 0 1\r\nx\r\n`);
  await client.ask('get after\r\n', 'END\r\n');
  await sees(second, /type=item_get key=after/, 1);
  await sees(first, /type=item_get key=(before|after)/, 2);
  assert.equal(second.received.includes('before'), false);
  assert.equal(await client.stat('curr_items'), '0');
});

test('the twenty-first watcher is refused and stays an ordinary connection', async (t) => {
  const server = await launch(t, []);
  for (let n = 0; n < 20; n++) await watcher(t, server.port, 'fetchers');
  const client = new Client(t, server.port);
  assert.equal(
    await client.ask('watch\r\n', '\r\n'),
    'WATCHER_TOO_MANY log watcher limit reached\r\n',
  );
  assert.equal(await client.stat('log_watchers'), '20');
});

test('a name may be shortened, as in memcached', async (t) => {
  const server = await launch(t, []);
  const short = await watcher(t, server.port, 'del');
  const client = new Client(t, server.port);
  await client.ask('set a 0 0 1\r\nx\r\ndelete a\r\n', 'DELETED\r\n');
  await client.ask('set b 0 0 1\r\nx\r\nmd b\r\nmd b\r\n', 'NF\r\n');
  await sees(short, /type=deleted key=a cmd=delete clsid=1 size=1$/, 1);
  await sees(short, /type=deleted key=b cmd=md clsid=1 size=1$/, 1);
  assert.equal(await new Client(t, server.port).ask('watch deletionss\r\n', '\r\n'), 'ERROR\r\n');
});

test('connections are shown with the reason of their end', async (t) => {
  const server = await launch(t, ['-t', '1']);
  const events = await watcher(t, server.port, 'connevents');
  const quits = new Client(t, server.port);
  await quits.ask('version\r\n', '\r\n');
  const quitPort = quits.socket.localPort;
  quits.socket.write('quit\r\n');
  await quits.closed;
  const lost = new Client(t, server.port);
  await lost.ask('version\r\n', '\r\n');
  const lostPort = lost.socket.localPort;
  lost.socket.write(`${'x'.repeat(3000)}`);
  await lost.closed;
  await sees(events, new RegExp(`conn_close .*rport=${quitPort} transport=tcp reason=normal `), 1);
  await sees(events, new RegExp(`conn_close .*rport=${lostPort} transport=tcp reason=error `), 1);
});

test('an idle connection is closed, and a watcher is not one', async (t) => {
  const server = await launch(t, ['-t', '1', '-o', 'idle_timeout=1']);
  const events = await watcher(t, server.port, 'connevents');
  const idle = new Client(t, server.port);
  await idle.ask('version\r\n', '\r\n');
  const idlePort = idle.socket.localPort;
  await idle.closed;
  await sees(
    events,
    new RegExp(`conn_close .*rport=${idlePort} transport=tcp reason=idle_timeout `),
    1,
  );
  await sees(events, new RegExp(`conn_new rip=127.0.0.1 rport=${idlePort} transport=tcp `), 1);
  // The watcher itself was silent for longer than anybody.
  assert.equal(events.isClosed, false);
});

test('a connection to the unix socket is a local one', async (t) => {
  const path = `${scratch(t)}/socket`;
  await launch(t, ['-t', '1'], path);
  const events = await watcher(t, path, 'connevents');
  await new Client(t, path).ask('version\r\n', '\r\n');
  await sees(events, /type=conn_new rip=unix rport=0 transport=local cfd=\d+$/, 1);
});

test('datagrams are requests without a connection, and cannot watch', async (t) => {
  const flags = ['-l', '127.0.0.1', '-p', '-1', '-U', '-1', '-t', '1'];
  const server = await startWithPorts(t, slabcached(flags));
  const [port] = server.udp;
  const events = await watcher(t, server.tcp[0], 'connevents fetchers');
  await exchange(port, [datagram('get over-udp\r\n')], 1);
  const [refusal] = await exchange(port, [datagram('watch\r\n')], 1);
  assert.equal(refusal.slice(8), 'ERROR\r\n');
  const client = new Client(t, server.tcp[0]);
  await client.ask('get over-tcp\r\n', 'END\r\n');
  await sees(events, /key=over-tcp/, 1);
  await sees(events, /key=over-udp/, 1);
  await sees(events, /type=conn_new /, 1);
  assert.equal(await client.stat('log_watchers'), '1');
});

test('a thread whose ring is full drops what it logs, and counts it', async (t) => {
  const flags = ['-t', '1', '-o', 'worker_logbuf_size=1'];
  const server = await launch(t, flags);
  const client = new Client(t, server.port);
  const events = await watcher(t, server.port, 'fetchers');
  // Served in one go, so that nobody can look into the ring meanwhile.
  const keys = Array.from({ length: 1000 }, (_, n) => `key${n}`).join(' ');
  await client.ask(`get ${keys}\r\n`, 'END\r\n');
  const written = Number(await client.stat('log_worker_written'));
  const dropped = Number(await client.stat('log_worker_dropped'));
  assert.ok(written > 0 && dropped > 0, `${written} written, ${dropped} dropped`);
  assert.equal(written + dropped, 1000);
  await sees(events, /type=item_get/, written);
  assert.equal(await client.stat('worker_logbuf_size', 'settings'), '1024');
});

test('a watcher that does not read skips lines, says how many, and holds nothing up', async (t) => {
  const server = await launch(t, ['-t', '1', '-o', 'watcher_logbuf_size=4']);
  const client = new Client(t, server.port);
  const slow = await watcher(t, server.port, 'fetchers');
  slow.socket.pause();
  const keys = Array.from({ length: 500 }, (_, n) => `${'k'.repeat(200)}${n}`).join(' ');
  const skips = async (): Promise<boolean> => {
    await client.ask(`get ${keys}\r\n`, 'END\r\n');
    return Number(await client.stat('log_watcher_skipped')) > 0;
  };
  assert.ok(await waitFor(skips, server.ended));
  const skipped = Number(await client.stat('log_watcher_skipped'));
  slow.socket.resume();
  const told = (): number =>
    [...slow.received.matchAll(/^skipped=(\d+)$/gm)].reduce((sum, [, n]) => sum + Number(n), 0);
  const askOn = async (): Promise<boolean> => {
    await client.ask('get on\r\n', 'END\r\n');
    return told() >= skipped;
  };
  assert.ok(await waitFor(askOn, slow.closed));
});

for (const paused of [false, true]) {
  const kind = paused ? 'does not read' : 'waits';
  test(`SIGTERM does not wait for a watcher that ${kind}`, async (t) => {
    const server = await launch(t, ['-t', '1']);
    const events = await watcher(t, server.port, 'fetchers');
    const client = new Client(t, server.port);
    if (paused) events.socket.pause();
    const keys = Array.from({ length: 1000 }, (_, n) => `${'k'.repeat(200)}${n}`).join(' ');
    for (let i = 0; i < 40; i++) {
      await client.ask(`get ${keys}\r\n`, 'END\r\n');
      await pause(5);
    }
    client.socket.destroy();
    server.child.kill('SIGTERM');
    assert.equal(await server.ended, 0);
    // The limit of a graceful stop, after which the process would end with a connection open.
    assert.equal(/are cut off/.test(server.stderr()), false);
  });
}

test('a watcher goes on when another worker dies, and one dies with its worker', async (t) => {
  const server = await launch(t, []);
  const watchers = [
    await watcher(t, server.port, 'mutations'),
    await watcher(t, server.port, 'mutations'),
  ];
  server.child.send({ kill: 0 });
  assert.ok(await waitFor(() => watchers.some((one) => one.isClosed), server.ended));
  const living = watchers.filter((one) => !one.isClosed);
  assert.equal(living.length, 1);
  assert.ok(await waitFor(() => /is replaced/.test(server.stderr()), server.ended));
  const clients = [1, 2, 3].map(() => new Client(t, server.port));
  for (const [n, client] of clients.entries()) {
    await client.ask(`set key${n} 0 0 1\r\nx\r\n`, 'STORED\r\n');
  }
  await sees(living[0], /type=item_store key=key\d /, 3);
  assert.equal(await clients[0].stat('log_watchers'), '1');
});
