#!/usr/bin/env node
// The command `slabcached`. It checks the Node version before anything else is loaded, because the
// rest uses what only newer versions have (transfer of sockets between threads); so this file has
// no static import and no syntax that an old version could not parse.

/** Accepted sockets can be transferred from these releases on; 25.x never got it. */
const WANTED = '24.20 or later on the 24 line, or 26.6 or later';

function isSupported(version: string): boolean {
  const parts = version.split('.');
  const major = Number(parts[0]);
  const minor = Number(parts[1]);
  if (major === 24) return minor >= 20;
  if (major === 26) return minor >= 6;
  return major > 26;
}

if (isSupported(process.versions.node)) {
  // Code that was compiled once starts several times faster; where the cache cannot be written,
  // Node goes on without it.
  import('node:module').then((module) => {
    module.enableCompileCache();
    return import('./server/main.ts').then((server) => server.main(process.argv.slice(2)));
  });
} else {
  process.stderr.write(
    `slabcached: Node ${process.versions.node} is not supported: it needs ${WANTED}\n`,
  );
  process.exitCode = 1;
}
