/**
 * The process: reads the flags, starts the server, and answers signals until it ends.
 */
import { isDaemon, reportFailure, reportReady, spawnDaemon } from './daemon.ts';
import { reasonOf, SettingsError, StartError } from './errors.ts';
import { logLine } from './log.ts';
import { RunningServer } from './server.ts';
import type { Settings } from './setting.ts';
import { helpText, readSettings } from './settings.ts';
import { hasInheritedSockets } from './systemd.ts';
import { licenseText, packageVersion } from './version.ts';

const TEST_VARIABLE = 'SLABCACHED_TEST';

/** Runs the command line to its end; sets the exit code. */
export async function main(args: readonly string[]): Promise<void> {
  let settings: Settings;
  try {
    settings = readSettings(args);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    logLine(error.message);
    process.exitCode = 1;
    return;
  }
  if (settings.action === 'help') {
    process.stdout.write(helpText(packageVersion()));
  } else if (settings.action === 'version') {
    process.stdout.write(`slabcached ${packageVersion()}\n`);
  } else if (settings.action === 'license') {
    process.stdout.write(licenseText());
  } else if (settings.daemonize && hasInheritedSockets(process.env, process.pid)) {
    logLine('-d cannot be used with listening sockets handed over by LISTEN_FDS');
    process.exitCode = 1;
  } else if (settings.daemonize && !isDaemon()) {
    process.exit(await spawnDaemon(args, settings.verbose));
  } else {
    await serve(settings);
  }
}

async function serve(settings: Settings): Promise<void> {
  let server: RunningServer | null = null;
  const signals = new Signals(() => server);
  try {
    server = await RunningServer.start(settings, (reason) => {
      logLine(reason);
      server?.removeFiles();
      process.exit(1);
    });
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    const leave = () => process.exit(1);
    if (!reportFailure(error.message, leave)) {
      logLine(error.message);
      leave();
    }
    return;
  }
  signals.ready();
  reportReady();
  if (process.env[TEST_VARIABLE] === '1') obeyTests(server);
}

/** The first signal stops the server gracefully, the second ends the process at once. */
class Signals {
  readonly #server: () => RunningServer | null;
  #asked = false;
  #reloadAsked = false;
  #ready = false;

  constructor(server: () => RunningServer | null) {
    this.#server = server;
    // SIGUSR1 asks memcached for a graceful stop; without a listener Node would open a debugger.
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGUSR1'] as const) {
      process.on(signal, () => this.#stop());
    }
    process.on('SIGHUP', () => this.#reload());
  }

  /** The server listens. */
  ready(): void {
    this.#ready = true;
    if (this.#asked) this.#leave();
    else if (this.#reloadAsked) this.#reload();
  }

  /** The files may have been read before the signal came, so one that comes early is kept. */
  #reload(): void {
    if (this.#ready) this.#server()?.reload();
    else this.#reloadAsked = true;
  }

  #stop(): void {
    if (this.#asked) process.exit(1);
    this.#asked = true;
    if (this.#ready) this.#leave();
  }

  #leave(): void {
    this.#server()
      ?.stop()
      .then(
        () => process.exit(0),
        (error: unknown) => {
          logLine(`cannot stop: ${reasonOf(error)}`);
          process.exit(1);
        },
      );
  }
}

/** Tests end threads through the IPC channel of their child process; no network reaches this. */
function obeyTests(server: RunningServer): void {
  process.on('message', (message: { readonly kill: number }) => server.kill(message.kill));
}
