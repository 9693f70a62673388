// Walks the npm package memcached through some commands:
// node memcached-driver.ts HOST PORT [USER PASSWORD]
// It knows nothing of authentication: the first set of its one connection carries the credentials.
import assert from 'node:assert/strict';
import Memcached from 'memcached';

const [host, port, user, password] = process.argv.slice(2);
const client = new Memcached(`${host}:${port}`, { poolSize: 1, timeout: 10_000, retries: 0 });

function call<Result>(start: (done: (error: unknown, data: Result) => void) => void) {
  return new Promise<Result>((resolve, reject) => {
    start((error, data) => (error ? reject(error) : resolve(data)));
  });
}

try {
  if (user !== undefined) {
    await call((done) => client.set('auth', `${user} ${password}`, 0, done));
  }
  assert.equal(await call((done) => client.set('npm-a', 'value', 0, done)), true);
  assert.equal(await call((done) => client.get('npm-a', done)), 'value');
  assert.equal(await call((done) => client.append('npm-a', 's', done)), true);
  const found = await call((done) => client.getMulti(['npm-a', 'npm-z'], done));
  assert.deepEqual({ ...(found as object) }, { 'npm-a': 'values' });
  assert.equal(await call((done) => client.set('npm-n', 5, 0, done)), true);
  assert.equal(await call((done) => client.incr('npm-n', 7, done)), 12);
  assert.equal(await call((done) => client.del('npm-a', done)), true);
  assert.equal(await call((done) => client.get('npm-a', done)), undefined);
} catch (error) {
  process.stderr.write(`${String(error)}\n`);
  process.exitCode = 1;
}
client.end();
