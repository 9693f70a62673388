// The load process: started by the bench on a core of its own, told over the process channel what
// to load and when, so that both servers meet the same generator with the same compiled code.

import { Generator } from './generator.ts';
import { Items } from './items.ts';
import type { LoadReply, LoadRequest, PrepareRequest } from './messages.ts';
import { Random, requestSequence } from './random.ts';
import { openTransport } from './transports.ts';

/** Requests drawn in advance; so many that their repetition helps no processor cache. */
const SEQUENCE_LENGTH = 1 << 20;

let generators: Generator[] = [];

async function prepare(request: PrepareRequest): Promise<LoadReply> {
  const { workload, targets } = request;
  const random = new Random(workload.seed);
  const items = new Items(workload.keys, workload.valueLengths, random);
  const { keys, distribution, setShare } = workload;
  const sequence = requestSequence(SEQUENCE_LENGTH, keys, distribution, setShare, random);
  let name = '';
  generators = [];
  for (const target of targets) {
    const transport = openTransport(request.transport);
    name = transport.name;
    const { port, pid, counted } = target;
    const generator = new Generator(workload, items, sequence, transport, pid, counted);
    await generator.connect(port);
    if (counted === undefined) await generator.fill();
    generators.push(generator);
  }
  return { type: 'ready', transport: name };
}

async function answer(request: LoadRequest): Promise<LoadReply> {
  try {
    if (request.type === 'prepare') return await prepare(request);
    const generator = generators[request.target];
    return { type: 'result', result: await generator.round(request.warmupMs, request.measureMs) };
  } catch (error) {
    return { type: 'failed', message: error instanceof Error ? error.message : String(error) };
  }
}

process.on('message', (request: LoadRequest) => {
  void answer(request).then((reply) => process.send!(reply));
});
process.on('disconnect', () => process.exit(0));
