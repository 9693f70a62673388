// Progress: a bar on a terminal, lines elsewhere, and neither too often.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Progress } from '../../src/tools/progress.ts';

class Paper {
  readonly isTTY: boolean;
  text = '';
  constructor(isTTY: boolean) {
    this.isTTY = isTTY;
  }
  write(text: string): void {
    this.text += text;
  }
}

test('a terminal gets a bar that is redrawn', () => {
  const screen = new Paper(true);
  let now = 0;
  const progress = new Progress(screen, 'warm', () => now);
  progress.update(1, 100, 1, 1000);
  assert.equal(screen.text, '');
  now = 2000;
  progress.update(50, 100, 50, 4_000_000);
  assert.equal(
    screen.text,
    `\rwarm [${'#'.repeat(15)}${'.'.repeat(15)}] 50%, 50 items, 4.0 MB, 2.0 MB/s\x1b[K`,
  );
  screen.text = '';
  progress.say('done');
  assert.equal(screen.text, '\r\x1b[Kslabcached warm: done\n');
});

test('a log gets a line every few seconds', () => {
  const screen = new Paper(false);
  let now = 0;
  const progress = new Progress(screen, 'load', () => now);
  for (; now <= 12_000; now += 100) progress.update(now, 12_000, 7, 500);
  assert.equal(
    screen.text,
    'slabcached load: 41%, 7 items, 0.5 kB, 0.1 kB/s\n' +
      'slabcached load: 83%, 7 items, 0.5 kB, 0.1 kB/s\n',
  );
  progress.say('done');
  assert.match(screen.text, /\nslabcached load: done\n$/);
});
