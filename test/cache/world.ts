/**
 * A small cache with two workers and a maintainer, all driven by this thread, for tests that let
 * one of them die: what it holds is known, and so is what each key may hold afterwards.
 */
import assert from 'node:assert/strict';
import { auditCache } from '../../src/cache/audit.ts';
import type { CacheConfig } from '../../src/cache/config.ts';
import { Maintainer } from '../../src/cache/maintainer.ts';
import { recoverActor } from '../../src/cache/recover.ts';
import { setAtomicsHook } from '../../src/memory/atomics.ts';
import type { MemoryConfig } from '../../src/memory/config.ts';
import { releaseConnection } from '../../src/memory/connections.ts';
import { HEAD_CLOCK } from '../../src/memory/layout.ts';
import { checkLockOrder } from '../../src/memory/lock.ts';
import type { Memory } from '../../src/memory/memory.ts';
import { CACHE_DEFAULTS, makeEngine, makeMemory, makeStore, Talk } from '../support/cache.ts';

const MEGABYTE = 1024 * 1024;

export const MAINTAINER = 1;
export const WORKER_A = 2;
export const WORKER_B = 3;

/** Chunks of 16 KB at most: values above are chains, and a page holds many of them. */
export const SMALL_MEMORY: Partial<MemoryConfig> = {
  memoryLimit: 8 * MEGABYTE,
  memoryMax: 8 * MEGABYTE,
  slabChunkMax: 16_384,
  hashPowerInit: 6,
};

/** Thrown out of the seam: the thread ends there and then. */
export class Death extends Error {}

export class World {
  readonly memory: Memory;
  readonly config: CacheConfig;
  b: Talk;
  a: Talk;
  maintainer: Maintainer;
  /** What must be stored under each key that nothing has touched. */
  readonly known = new Map<string, string>();
  private countdown = 0;
  private armed = false;

  constructor(memory: Partial<MemoryConfig> = {}, config: Partial<CacheConfig> = {}) {
    this.memory = makeMemory({ ...SMALL_MEMORY, ...memory });
    this.config = { ...CACHE_DEFAULTS, ...config };
    this.a = this.talk(WORKER_A);
    this.b = this.talk(WORKER_B);
    this.maintainer = new Maintainer(this.memory, this.config);
  }

  /** A fresh store and engine under an actor number, with a connection. */
  talk(actor: number): Talk {
    return new Talk(makeEngine(makeStore(this.memory, this.config, actor)));
  }

  /** Stores a key for good; worker B does it. */
  put(key: string, value: string, exptime = 0): void {
    assert.equal(this.b.send(storageLine('set', key, value, exptime)), 'STORED\r\n');
    this.known.set(key, value);
  }

  pass(seconds: number): void {
    this.memory.i32[HEAD_CLOCK] += seconds;
  }

  /** Runs `act` and dies at its n-th synchronising access; true if there was one. */
  dies(n: number, act: () => void): boolean {
    this.countdown = n;
    this.arm();
    try {
      act();
      return false;
    } catch (error) {
      if (!(error instanceof Death)) throw error;
      return true;
    } finally {
      this.disarm();
    }
  }

  /** Within `act`: what another, undisturbed thread does meanwhile. */
  meanwhile(other: () => void): void {
    this.disarm();
    other();
    this.arm();
  }

  /** Repairs what the actor left, and puts a fresh thread in its place. */
  recover(actor: number): void {
    checkLockOrder(true);
    recoverActor(this.memory, this.config, actor);
    this.maintainer = new Maintainer(this.memory, this.config);
    if (actor === WORKER_A) this.a = this.talk(WORKER_A);
  }

  /** Closes A's connection and opens another. */
  reconnect(): void {
    this.a.engine.close(this.a.session);
    this.a.engine.output.reset();
    releaseConnection(this.memory, this.a.session.slot);
    this.a = new Talk(this.a.engine);
  }

  audit(): string[] {
    return auditCache(makeStore(this.memory, this.config, 0));
  }

  private arm(): void {
    this.armed = true;
    setAtomicsHook(() => {
      if (!this.armed || --this.countdown > 0) return;
      this.armed = false;
      throw new Death();
    });
  }

  private disarm(): void {
    this.armed = false;
    setAtomicsHook(null);
  }
}

/** A storage command with its value. */
export function storageLine(command: string, key: string, value: string, exptime = 0): string {
  return `${command} ${key} 7 ${exptime} ${value.length}\r\n${value}\r\n`;
}

/** The value under a key, or null. Client flags are 7, or 0 of what a meta command has created. */
export function read(talk: Talk, key: string): string | null {
  const reply = talk.send(`get ${key}\r\n`);
  if (reply === 'END\r\n') return null;
  const line = reply.indexOf('\r\n');
  const [word, name, flags, bytes] = reply.slice(0, line).split(' ');
  assert.equal(`${word} ${name} ${flags === '0' ? 7 : flags}`, `VALUE ${key} 7`);
  const value = reply.slice(line + 2, line + 2 + Number(bytes));
  assert.equal(reply.slice(line + 2 + Number(bytes)), '\r\nEND\r\n');
  return value;
}

/** A value of this length that no other name has. */
export function filler(name: string, length: number): string {
  return `${name}.`.repeat(Math.ceil(length / (name.length + 1))).slice(0, length);
}
