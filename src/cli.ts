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

/**
 * Starts the server, or a tool, with compiled code kept from the last start, which is several times
 * faster. The cache lies in the user's own folder, since whoever can write to it can run code here;
 * where it cannot be written Node goes on without it. Workers find it by the environment variable.
 */
async function start(): Promise<void> {
  const { homedir } = await import('node:os');
  const { join } = await import('node:path');
  const { enableCompileCache } = await import('node:module');
  process.env.NODE_COMPILE_CACHE ??= join(homedir(), '.cache', 'slabcached');
  enableCompileCache();
  const args = process.argv.slice(2);
  if (args[0] === 'dump' || args[0] === 'load' || args[0] === 'warm') {
    const tools = await import('./tools/main.ts');
    await tools.runTool(args[0], args.slice(1));
  } else {
    const server = await import('./server/main.ts');
    await server.main(args);
  }
}

if (isSupported(process.versions.node)) {
  start();
} else {
  process.stderr.write(
    `slabcached: Node ${process.versions.node} is not supported: it needs ${WANTED}\n`,
  );
  process.exitCode = 1;
}
