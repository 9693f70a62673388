// Walks memjs through its commands: node memjs-driver.ts HOST PORT [USER PASSWORD]
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

/** The part of memjs that is used here; it comes without types. */
interface MemjsClient {
  set(key: string, value: string, options: { expires: number }): Promise<boolean>;
  add(key: string, value: string, options: { expires: number }): Promise<boolean>;
  replace(key: string, value: string, options: { expires: number }): Promise<boolean>;
  get(key: string): Promise<{ value: Buffer | null }>;
  delete(key: string): Promise<boolean>;
  increment(key: string, by: number, options: { initial: number }): Promise<{ value: number }>;
  decrement(key: string, by: number, options: { initial: number }): Promise<{ value: number }>;
  append(key: string, value: string): Promise<boolean>;
  touch(key: string, expires: number): Promise<boolean>;
  stats(done: (error: unknown, server: string, stats: Record<string, string>) => void): void;
  close(): void;
}
interface Memjs {
  readonly Client: { create(servers: string, options: object): MemjsClient };
}

const { Client } = createRequire(import.meta.url)('memjs') as Memjs;
const [host, port, user, password] = process.argv.slice(2);
const credentials = user === undefined ? {} : { username: user, password };
const quiet = { log: () => undefined };
const client = Client.create(`${host}:${port}`, {
  ...credentials,
  timeout: 10,
  retries: 0,
  logger: quiet,
});

const text = async (key: string) => (await client.get(key)).value?.toString();

try {
  await client.delete('js-n');
  assert.equal(await client.set('js-a', 'value', { expires: 0 }), true);
  assert.equal(await text('js-a'), 'value');
  assert.equal(await client.add('js-a', 'other', { expires: 0 }), false);
  assert.equal(await client.replace('js-a', 'new', { expires: 100 }), true);
  assert.equal(await client.append('js-a', 'er'), true);
  assert.equal(await text('js-a'), 'newer');
  assert.equal((await client.increment('js-n', 7, { initial: 5 })).value, 5);
  assert.equal((await client.increment('js-n', 7, { initial: 5 })).value, 12);
  assert.equal((await client.decrement('js-n', 2, { initial: 5 })).value, 10);
  assert.equal(await client.touch('js-a', 100), true);
  assert.equal(await client.delete('js-a'), true);
  assert.equal(await text('js-a'), undefined);
  const stats = await new Promise<Record<string, string>>((resolve, reject) => {
    client.stats((error, _server, found) => (error ? reject(error) : resolve(found)));
  });
  assert.ok(Number(stats.cmd_set) > 0);
} catch (error) {
  process.stderr.write(`${String(error)}\n`);
  process.exitCode = 1;
}
client.close();
