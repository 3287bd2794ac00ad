/**
 * The smallest capability of ordinary aggregates: tallies that count, and boxes that hold what a tally sends them. Its messages are JSON.
 *
 *   Add      counts; below zero is a recorded rejection, zero one that is not recorded
 *   Send     counts down and owes a box what it took; a refusal counts it back
 *   Remind   sets a timer that adds, or cancels it with amount 0
 *   Hand     hands the amount out when the commit is durable
 *   Put      into a box
 *   Note     in a notebook, whose state stays in memory as it is
 */
import type { EventRecord } from '@sluice/protocol';
import { UnknownEventError } from '@sluice/protocol';
import { aggregateCapability, type AggregateCapabilityOptions } from '../aggregates/aggregate-capability';
import { commandMessage, type AggregateDefinition, type Decision, type EventCodec } from '../aggregates/aggregate-definition';
import type { AggregateReader } from '../aggregates/aggregate-state';

export interface TallyRequest {
  readonly requestId: string;
  readonly key: string;
  readonly amount: number;
  /** Of the box that gets what is sent; undefined: that of the same key. */
  readonly to?: string;
}

interface Tally {
  count: number;
  changes: number;
}

interface Counted {
  readonly amount: number;
}

type Verb = 'Add' | 'Send' | 'Remind' | 'Hand';
interface TallyCommand extends TallyRequest {
  readonly verb: Verb;
}

export function encoded(request: Partial<TallyRequest>): Uint8Array {
  const { requestId = '', key = '', amount = 0, to } = request;
  return Buffer.from(JSON.stringify({ requestId, key, amount, to }));
}

const codec = {
  encode: (request: TallyRequest) => ({ finish: () => encoded(request) }),
  decode: (bytes: Uint8Array) => JSON.parse(Buffer.from(bytes).toString()) as TallyRequest,
};

function message<Command>(name: string, command: (request: TallyRequest) => Command) {
  return commandMessage<TallyRequest, Command>({
    messageName: `tally.${name}`,
    codec,
    keyField: 'key',
    key: ({ key }) => key,
    requestId: ({ requestId }) => requestId,
    command: (request) => {
      if (typeof request.amount !== 'number') throw new Error('amount is missing');
      return command(request);
    },
  });
}

const verb = (name: Verb) => message<TallyCommand>(name, (request) => ({ ...request, verb: name }));

const events: EventCodec<Counted> = {
  write: ({ amount }) => ({ type: 'tally.Counted', version: 1, payload: Buffer.from(String(amount)) }),
  read: ({ type, version, payload }: EventRecord, { partition, sequence }) => {
    if (type !== 'tally.Counted' || version !== 1) throw new UnknownEventError(partition, sequence, type, version);
    return { amount: Number(Buffer.from(payload).toString()) };
  },
};

const record = {
  version: 2,
  encode: ({ count, changes }: Tally) => Buffer.from(JSON.stringify([count, changes])),
  /** Version 1 had the count alone. */
  decode: (bytes: Uint8Array, version: number): Tally => {
    const said = JSON.parse(Buffer.from(bytes).toString()) as number | [number, number];
    if (version === 1) return { count: said as number, changes: 0 };
    const [count, changes] = said as [number, number];
    return { count, changes };
  },
};

function evolve(tally: Tally, { amount }: Counted): Tally {
  tally.count += amount;
  tally.changes += 1;
  return tally;
}

const replyOf = (count: number): Uint8Array => Buffer.from(String(count));
/** When reminders are due. */
export const REMINDER_DUE_US = 5;
/** What was handed out, in order. */
export const handedOut: number[] = [];

function decideTally({ count }: Tally, { verb: name, key, amount, to = key }: TallyCommand): Decision<Counted> {
  if (amount === 0 && name !== 'Remind') return { accepted: false, reason: 'NOTHING_TO_COUNT', recorded: false };
  switch (name) {
    case 'Add':
      if (count + amount < 0) return { accepted: false, reason: 'BELOW_ZERO', recorded: true, metadata: { count: String(count) } };
      return { accepted: true, events: [{ amount }], reply: replyOf(count + amount) };
    case 'Send':
      return { accepted: true, events: [{ amount: -amount }], owes: [{ capability: 'tally', method: 'Put', key: to, payload: encoded({ key: to, amount }) }] };
    case 'Remind':
      return amount === 0
        ? { accepted: true, events: [], timers: [{ kind: 'cancel', timerId: 'reminder' }] }
        : {
            accepted: true,
            events: [],
            timers: [{ kind: 'set', timerId: 'reminder', dueAtUs: REMINDER_DUE_US, method: 'Add', payload: encoded({ key, amount }) }],
          };
    case 'Hand':
      return { accepted: true, events: [], handOut: () => handedOut.push(amount) };
    default:
      throw new Error(`no such verb: ${String(name satisfies never)}`);
  }
}

export const tallies: AggregateDefinition<Tally, TallyCommand, Counted> = {
  capability: 'tally',
  aggregate: 'tally',
  record,
  events,
  commands: { Add: verb('Add'), Send: verb('Send'), Remind: verb('Remind'), Hand: verb('Hand') },
  initialState: () => ({ count: 0, changes: 0 }),
  decide: decideTally,
  evolve,
  total: ({ count }) => count,
  settled: (_tally, { accepted, payload }) => ({ events: accepted ? [] : [{ amount: codec.decode(payload).amount }] }),
};

const boxes: AggregateDefinition<Tally, TallyRequest, Counted> = {
  capability: 'tally',
  aggregate: 'box',
  record,
  events,
  commands: { Put: message('Put', (request) => request) },
  initialState: () => ({ count: 0, changes: 0 }),
  decide: ({ count }, { amount }) =>
    count + amount > 100 ? { accepted: false, reason: 'BOX_FULL', recorded: true } : { accepted: true, events: [{ amount }], reply: replyOf(count + amount) },
  evolve,
};

interface Notebook {
  readonly notes: string[];
}

/** Every note is a block of a snapshot. */
const notebooks: AggregateDefinition<Notebook, TallyRequest, Counted> = {
  capability: 'tally',
  aggregate: 'notebook',
  record: {
    version: 1,
    beginSnapshot: ({ notes }) => {
      const kept = [...notes];
      return { next: () => (kept.length === 0 ? undefined : Buffer.from(kept.shift() as string)), end: () => undefined };
    },
    restore: ({ notes }, block) => void notes.push(Buffer.from(block).toString()),
  },
  events,
  commands: { Note: message('Note', (request) => request) },
  initialState: () => ({ notes: [] }),
  decide: ({ notes }, { amount }) => ({ accepted: true, events: amount === 0 ? [] : [{ amount }], reply: replyOf(notes.length) }),
  evolve: (notebook, { amount }, { sequence }) => {
    notebook.notes.push(`${amount} in ${sequence}`);
    return notebook;
  },
};

/** What siblings read. */
export interface TallyView {
  count(key: string): number;
}

export function tallyCapability(options: Partial<AggregateCapabilityOptions> = {}) {
  const view = (states: AggregateReader): TallyView => ({ count: (key) => (states.stateOf('tally', key) as Tally | undefined)?.count ?? 0 });
  return aggregateCapability({ aggregates: [tallies, boxes, notebooks], view, ...options });
}
