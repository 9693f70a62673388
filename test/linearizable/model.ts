// What one memcached item does, one command after the other: the sequential meaning against which
// concurrent histories are checked. Eviction is part of it only where it is allowed.

/** A command on one key. Values are unique per write, so that reads tell writes apart. */
export type Call =
  | { readonly kind: 'set' | 'add' | 'replace' | 'append' | 'prepend'; readonly value: string }
  | { readonly kind: 'cas'; readonly value: string; readonly id: string }
  | { readonly kind: 'incr' | 'decr'; readonly delta: bigint }
  | { readonly kind: 'delete' | 'touch' | 'get' | 'gets' };

/** The reply: a line, or the value (with its cas id after gets) that came back. */
export type Reply =
  | { readonly line: string }
  | { readonly value: string; readonly cas: string | undefined };

/** undefined is absent. A cas id is unknown until someone has been told it. */
export type State = { readonly value: string; readonly cas: string | undefined } | undefined;

const OUT_OF_MEMORY = /^SERVER_ERROR out of memory/i;
const NON_NUMERIC = 'CLIENT_ERROR cannot increment or decrement non-numeric value';
const TWO_TO_64 = 2n ** 64n;

/** Values seen together with cas ids; says whether an id of unknown owner can be a state's. */
export type SeenValues = ReadonlyMap<string, string>;

/** All states in which the command may have left the item, given its reply; none if impossible. */
export function step(state: State, call: Call, reply: Reply, seen: SeenValues): State[] {
  if ('line' in reply && OUT_OF_MEMORY.test(reply.line)) {
    // A set that finds no memory takes the old value away; the others leave it.
    return call.kind === 'set' ? [undefined] : [state];
  }
  if ('value' in reply) return read(state, call, reply);
  const { line } = reply;
  switch (call.kind) {
    case 'get':
    case 'gets':
      return line === 'END' && state === undefined ? [undefined] : [];
    case 'set':
      return line === 'STORED' ? [fresh(call.value)] : [];
    case 'add':
      return state === undefined
        ? when(line === 'STORED', fresh(call.value))
        : when(line === 'NOT_STORED', state);
    case 'replace':
    case 'append':
    case 'prepend':
      return state === undefined
        ? when(line === 'NOT_STORED', state)
        : when(line === 'STORED', fresh(joined(call.kind, state.value, call.value)));
    case 'cas':
      return compareAndSet(state, call.id, call.value, line, seen);
    case 'incr':
    case 'decr':
      return count(state, call.kind === 'incr' ? call.delta : -call.delta, line);
    case 'delete':
      return when(line === (state === undefined ? 'NOT_FOUND' : 'DELETED'), undefined);
    case 'touch':
      return when(line === (state === undefined ? 'NOT_FOUND' : 'TOUCHED'), state);
  }
}

function fresh(value: string): State {
  return { value, cas: undefined };
}

function when(holds: boolean, next: State): State[] {
  return holds ? [next] : [];
}

function joined(kind: 'replace' | 'append' | 'prepend', old: string, added: string): string {
  if (kind === 'replace') return added;
  return kind === 'append' ? old + added : added + old;
}

function read(
  state: State,
  call: Call,
  reply: { value: string; cas: string | undefined },
): State[] {
  if (call.kind !== 'get' && call.kind !== 'gets') return [];
  if (state === undefined || state.value !== reply.value) return [];
  if (reply.cas === undefined) return [state];
  if (state.cas !== undefined && state.cas !== reply.cas) return [];
  return [{ value: state.value, cas: reply.cas }];
}

function compareAndSet(
  state: State,
  id: string,
  value: string,
  line: string,
  seen: SeenValues,
): State[] {
  if (state === undefined) return when(line === 'NOT_FOUND', state);
  const matches = state.cas === undefined ? seen.get(id) === state.value : state.cas === id;
  if (matches) {
    if (line === 'STORED') return [fresh(value)];
    // Nobody was told this item's id: a number may have come back to an old value with a new id.
    return when(state.cas === undefined && line === 'EXISTS', state);
  }
  return when(line === 'EXISTS', state);
}

function count(state: State, delta: bigint, line: string): State[] {
  if (state === undefined) return when(line === 'NOT_FOUND', state);
  // As strtoull reads it: what follows white space does not matter, such as an append to a number
  // that was padded.
  const digits = /^(\d+)(?: |$)/.exec(state.value)?.[1];
  if (digits === undefined || BigInt(digits) >= TWO_TO_64) {
    return when(line === NON_NUMERIC, state);
  }
  const sum = BigInt(digits) + delta;
  const next = String(sum < 0n ? 0n : sum % TWO_TO_64);
  return when(line === next, fresh(next.padEnd(state.value.length)));
}

export function sameState(state: State): string {
  return state === undefined ? '' : `${state.value}@${state.cas ?? ''}`;
}

export function describeCall(call: Call): string {
  if ('delta' in call) return `${call.kind} ${call.delta}`;
  if (call.kind === 'cas') return `cas ${call.value} (if ${call.id})`;
  return 'value' in call ? `${call.kind} ${call.value}` : call.kind;
}

export function describeReply(reply: Reply | undefined): string {
  if (reply === undefined) return '(no reply)';
  if ('line' in reply) return reply.line;
  return `${JSON.stringify(reply.value)}${reply.cas === undefined ? '' : ` (id ${reply.cas})`}`;
}
