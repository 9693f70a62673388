// Generators of administrators' commands whose answers follow from the line alone: not from pages,
// threads or crawls under way. Those that do are in admin.test.ts.
import fc from 'fast-check';
import { EDGE_NUMBERS } from './material.ts';

const PERCENTS = ['0', '1', '20', '40', '41', '80', '81', 'x', '-1', '+5', '1.5'];
const FACTORS = ['0', '0.2', '2', '-1', 'x', '1e1', '.5', '1.', '1.5x', '+3'];
const SOURCES = ['-2', '-5', '64', '99', '2147483647', '2147483648', 'x'];
const DESTINATIONS = ['0', '1', '5', '-2', '99', 'x', '1x'];
const AUTOMOVES = ['', ' 0', ' 1', ' 3', ' -1', ' x', ' ratio', ' ratio 0.5', ' ratio x', ' 1 2'];
const MEMLIMITS = ['', ' 0', ' 7', ' x', ' -1', ' 1000000001', ' 4294967296', ' 8 9 10'];

const tune = (): fc.Arbitrary<string> =>
  fc
    .tuple(
      fc.constantFrom(...PERCENTS),
      fc.constantFrom(...PERCENTS),
      fc.constantFrom(...FACTORS),
      fc.constantFrom(...FACTORS),
      fc.constantFrom('', '', ' noreply', ' more'),
    )
    .map(([hot, warm, hotFactor, warmFactor, rest]) => {
      return `lru tune ${hot} ${warm} ${hotFactor} ${warmFactor}${rest}`;
    });

/** The line of a command, without its line end. */
export const adminLine = (): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 3, arbitrary: tune() },
    {
      weight: 2,
      arbitrary: fc
        .tuple(fc.constantFrom('sleep', 'tocrawl'), fc.constantFrom(...EDGE_NUMBERS))
        .map(([word, number]) => `lru_crawler ${word} ${number}`),
    },
    {
      weight: 2,
      arbitrary: fc
        .tuple(fc.constantFrom(...SOURCES), fc.constantFrom(...DESTINATIONS))
        .map(([source, destination]) => `slabs reassign ${source} ${destination}`),
    },
    { weight: 1, arbitrary: fc.constantFrom(...AUTOMOVES).map((rest) => `slabs automove${rest}`) },
    { weight: 1, arbitrary: fc.constantFrom(...MEMLIMITS).map((rest) => `cache_memlimit${rest}`) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        'lru',
        'lru x',
        'slabs x',
        'lru_crawler x',
        'shutdown',
        'lru tune',
      ),
    },
  );
