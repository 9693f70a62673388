// What a watcher is told of the same requests is the same, line for line, and so is what `watch`
// itself answers. Times, descriptors and ports differ by nature; numbers are as they come.
import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { findMemcached, skipWithoutMemcached } from '../support/oracle.ts';
import { memcached, type Server, slabcached, startServer } from '../support/server.ts';

const skip = skipWithoutMemcached();
const oracle = findMemcached() ?? '';

/** Each is sent when the one before is answered, with the end of its answer. */
const REQUESTS: readonly (readonly [string, string])[] = [
  ['set foo 0 0 3\r\nbar\r\n', 'STORED\r\n'],
  ['get foo none foo\r\n', 'END\r\n'],
  ['gets foo\r\ngat 100 foo none\r\n', 'END\r\nVALUE foo 0 3\r\nbar\r\nEND\r\n'],
  ['set sp%c\xe9/~.-_\t" 5 100 2\r\nxx\r\n', 'STORED\r\n'],
  ['add foo 0 0 1\r\nx\r\nadd new 0 10 1\r\nx\r\n', 'NOT_STORED\r\nSTORED\r\n'],
  ['replace foo 7 0 4\r\nabcd\r\nreplace none 0 0 1\r\nx\r\n', 'NOT_STORED\r\n'],
  ['append foo 0 0 2\r\nxx\r\nprepend none 0 0 1\r\nx\r\n', 'NOT_STORED\r\n'],
  ['cas foo 0 0 1 1\r\nx\r\ncas none 0 0 1 1\r\nx\r\n', 'NOT_FOUND\r\n'],
  ['set n 0 0 1\r\n9\r\nincr n 1\r\ndecr n 1\r\nincr none 1\r\n', 'NOT_FOUND\r\n'],
  ['touch n 0\r\ntouch none 0\r\n', 'NOT_FOUND\r\n'],
  ['set n 0 -1 1\r\n1\r\nget n\r\nget n\r\n', 'END\r\nEND\r\n'],
  ['delete foo\r\ndelete foo\r\n', 'NOT_FOUND\r\n'],
  ['set f 0 0 1\r\nx\r\nflush_all\r\nget f\r\n', 'END\r\n'],
  ['set bad 0 0 1\r\nxyz\r\n', 'ERROR\r\n'],
  [`set ${'k'.repeat(250)} 0 0 0\r\n\r\n`, 'STORED\r\n'],
  ['ms m 2\r\nxx\r\nms m 1 ME\r\ny\r\nms m 1 MA T30\r\ny\r\nmn\r\n', 'MN\r\n'],
  ['mg m v\r\nmg none v\r\nmg vivid N30 v\r\nma vivid\r\nma none\r\nmn\r\n', 'MN\r\n'],
  ['ms m 1 C1\r\nz\r\nmd m C1\r\nmd m\r\nmd m\r\nme m\r\nmn\r\n', 'MN\r\n'],
  [`set large 0 0 600000\r\n${'l'.repeat(600_000)}\r\nget large\r\n`, 'END\r\n'],
];

/** Expected by both: the watch command and its answer on a fresh connection. */
const COMMANDS: readonly (readonly [string, string])[] = [
  ['watch\r\n', 'OK\r\n'],
  ['watch nonsense\r\n', 'ERROR\r\n'],
  ['watch fetchers nonsense\r\n', 'ERROR\r\n'],
  ['watch fetchers mutations evictions connevents sysevents rawcmds\r\n', 'OK\r\n'],
  ['watch proxyreqs proxyevents proxyuser\r\n', 'OK\r\n'],
  ['version\r\nwatch\r\n', '\r\nERROR cannot pipeline other commands before watch\r\n'],
];

class Talker {
  readonly socket: Socket;
  received = '';
  private wake = (): void => undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      this.received += text;
      this.wake();
    });
    socket.on('error', () => undefined);
  }

  static to(server: Server): Promise<Talker> {
    return new Promise((resolve) => {
      const socket = connect(server.port, '127.0.0.1', () => resolve(new Talker(socket)));
    });
  }

  async until(done: (received: string) => boolean): Promise<void> {
    while (!done(this.received)) {
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
  }

  /** Lines may follow the answer at once. */
  async watch(what: string): Promise<void> {
    this.socket.write(`watch ${what}\r\n`);
    await this.until((received) => received.startsWith('OK\r\n'));
  }

  async ask(request: string, end: string): Promise<void> {
    this.received = '';
    this.socket.write(request, 'latin1');
    await this.until((received) => received.endsWith(end));
  }
}

/** The lines of one client, without what differs from process to process. */
function normalised(lines: string, port: number): string[] {
  const own = lines
    .split('\n')
    .filter((line) => !/rport=/.test(line) || line.includes(`=${port} `));
  return own.map((line) =>
    line
      .replace(/^ts=\d+\.\d+ gid=\d+ /, 'ts=T gid=N ')
      .replace(/cfd=\d+/, 'cfd=F')
      // Our header is smaller: an item may be in a smaller class.
      .replace(/clsid=[1-9]\d*/, 'clsid=C')
      .replace(/rport=\d+/, 'rport=P')
      // The clocks of the two servers do not tick together.
      .replace(/ttl=42949\d+/, 'ttl=PAST'),
  );
}

async function watchLines(server: Server): Promise<string[]> {
  const watcher = await Talker.to(server);
  await watcher.watch('fetchers mutations evictions connevents');
  const talker = await Talker.to(server);
  const port = talker.socket.localPort ?? 0;
  const closed = new RegExp(`conn_close rip=127.0.0.1 rport=${port} .*\\n$`);
  for (const [request, end] of REQUESTS) await talker.ask(request, end);
  talker.socket.write('quit\r\n');
  await watcher.until((received) => closed.test(received));
  watcher.socket.destroy();
  return normalised(watcher.received, port);
}

test('a watcher sees what memcached shows', { skip, timeout: 60_000 }, async (t) => {
  // One thread each: then memcached's lines, too, come in the order of their numbers.
  const ours = await startServer(slabcached(['-t', '1']));
  t.after(() => ours.stop());
  const theirs = await startServer(memcached(oracle, ['-t', '1', '-o', 'no_lru_maintainer']));
  t.after(() => theirs.stop());
  const [mine, other] = [await watchLines(ours), await watchLines(theirs)];
  assert.deepEqual(mine, other);
});

test('watch is answered as memcached answers it', { skip, timeout: 60_000 }, async (t) => {
  const servers = [await startServer(slabcached()), await startServer(memcached(oracle))];
  for (const server of servers) t.after(() => server.stop());
  for (const server of servers) {
    for (const [request, end] of COMMANDS) {
      const talker = await Talker.to(server);
      talker.socket.write(request);
      await talker.until((received) => received.includes(end));
      talker.socket.destroy();
    }
  }
});

test('-W refuses in the same words', { skip, timeout: 60_000 }, async (t) => {
  for (const launch of [slabcached(['-W']), memcached(oracle, ['-W'])]) {
    const server = await startServer(launch);
    t.after(() => server.stop());
    const talker = await Talker.to(server);
    await talker.ask('watch\r\n', '\r\n');
    assert.equal(talker.received, 'CLIENT_ERROR watch commands not allowed\r\n');
    talker.socket.destroy();
  }
});

/** Fills a server of 2 MB over its limit and returns the first line about an eviction. */
async function evictionLine(server: Server): Promise<string> {
  const watcher = await Talker.to(server);
  await watcher.watch('evictions');
  const talker = await Talker.to(server);
  for (let n = 0; n < 60; n++) {
    await talker.ask(`set key${n} 0 100 100000\r\n${'v'.repeat(100_000)}\r\n`, 'STORED\r\n');
  }
  await watcher.until((received) => received.split('\n').length > 2);
  watcher.socket.destroy();
  talker.socket.destroy();
  return watcher.received.split('\n')[1];
}

test('evictions are shown as memcached shows them', { skip, timeout: 60_000 }, async (t) => {
  const flags = ['-m', '2', '-t', '1', '-o', 'no_lru_maintainer'];
  const ours = await startServer(slabcached(flags));
  t.after(() => ours.stop());
  const theirs = await startServer(memcached(oracle, flags));
  t.after(() => theirs.stop());
  const [mine, other] = [await evictionLine(ours), await evictionLine(theirs)];
  const shape = (line: string): string =>
    line
      .replace(/ts=\d+\.\d+ gid=\d+/, 'TIME')
      .replace(/ttl=(9\d|100)/, 'TTL')
      .replace(/la=\d/, 'LA')
      // Their header is larger: the class may be another, and with it the number that fit.
      .replace(/clsid=\d+/, 'CLASS');
  assert.equal(shape(mine), shape(other));
});
