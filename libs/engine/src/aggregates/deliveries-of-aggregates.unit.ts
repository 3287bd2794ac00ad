/** Ordinary aggregates that owe each other something, over the engine's deliveries: between partitions, over lost turns and restarts. */
import { partitionOfHash, murmurHash3 } from '@sluice/domain';
import { logEvents, readCommit } from '@sluice/protocol';
import { Cluster, type EngineUnderTest } from '../test/engine-under-test';
import { rounds, sorter } from '../test/partition-under-test';
import { encoded, tallyCapability, type TallyRequest, type TallyView } from '../test/tally';
import { AggregateSubmission } from './aggregate-submission';
import type { AggregateState } from './aggregate-state';

const tally = tallyCapability();
let cluster: Cluster;
let running: EngineUnderTest;

beforeEach(async () => {
  cluster = new Cluster();
  await startNext('one');
});
afterEach(() => cluster.stop());
afterAll(() => sorter.close());

async function startNext(owner: string): Promise<void> {
  running = cluster.process(owner, { capability: tally });
  await running.engine.own(0);
  await running.engine.own(1);
}

function partitionOf(key: string): number {
  const bytes = Buffer.from(key);
  return partitionOfHash(murmurHash3(bytes, 0, bytes.length, 0), 2);
}

function keyIn(partition: number): string {
  for (let at = 0; ; at += 1) if (partitionOf(`key ${at}`) === partition) return `key ${at}`;
}

const HERE = keyIn(0);
const THERE = keyIn(1);

async function ask(method: string, request: Partial<TallyRequest>): Promise<string> {
  const partition = running.owned(partitionOf(request.key as string));
  const asked = tally.request(method, tally.read(method, encoded(request)), partition.seeds);
  await new Promise<void>((resolve) => new AggregateSubmission(partition, 'tally', [asked], resolve).submit());
  return asked.verdict?.kind ?? 'none';
}

const stateOf = (key: string): AggregateState => running.owned(partitionOf(key)).stateOf('tally') as AggregateState;
const count = (key: string): number => (stateOf(key).siblingView as TallyView).count(key);
const inBox = (key: string): number => (stateOf(key).stateOf('box', key) as { count: number } | undefined)?.count ?? 0;

/** Lets everything happen that is under way, pauses of senders included. */
async function settle(): Promise<void> {
  for (let round = 0; round < 20; round += 1) {
    await rounds();
    await cluster.clock.elapse(1_000);
  }
}

/** Requests decided in a partition, with who asked, in order. */
function decided(partition: number): string[] {
  return cluster.storage.commitsOf(partition).flatMap(({ bytes }) => {
    const commit = readCommit(bytes);
    return commit.events.flatMap((event) => {
      const request = logEvents.readOnly('RequestDecided', event, commit);
      return request === undefined ? [] : [`${request.aggregate} ${request.requestId}`];
    });
  });
}

test('what is owed arrives once in the other partition, and a refusal comes back to the aggregate that owed it', async () => {
  await ask('Add', { key: HERE, requestId: 'fill', amount: 200 });
  await ask('Send', { key: HERE, requestId: 's1', to: THERE, amount: 60 });
  await ask('Send', { key: HERE, requestId: 's2', to: THERE, amount: 60 });
  await settle();
  expect([count(HERE), inBox(THERE)]).toEqual([140, 60]);
  expect(decided(1)).toEqual(['box d-0-1-1']);
  expect(decided(0)).toEqual(['tally fill', 'tally s1', 'tally s2', 'tally d-0-1-2']);
});

test.each([
  ['nothing was stored', false],
  ['the commit was stored', true],
])('a turn that is lost owes what its commit says: %s', async (_what, stored) => {
  await ask('Add', { key: HERE, requestId: 'fill', amount: 100 });
  if (stored) running.log.faults.failNextAppendAfterStoring();
  else running.log.faults.failNextAppend();
  expect(await ask('Send', { key: HERE, requestId: 's', to: THERE, amount: 30 })).toBe('refused');
  await settle();
  expect([count(HERE), inBox(THERE)]).toEqual(stored ? [70, 30] : [100, 0]);
  expect(await ask('Send', { key: HERE, requestId: 's', to: THERE, amount: 30 })).toBe('accepted');
  await settle();
  expect([count(HERE), inBox(THERE)]).toEqual([70, 30]);
});

test.each([
  ['from a snapshot', true],
  ['from the log', false],
])('the next owner delivers what the one before still owed, and nothing twice: %s', async (_what, snapshot) => {
  await ask('Add', { key: HERE, requestId: 'fill', amount: 100 });
  await ask('Send', { key: HERE, requestId: 's1', to: THERE, amount: 30 });
  await ask('Send', { key: HERE, requestId: 's2', to: HERE, amount: 10 });
  await running.engine.stop({ snapshot });
  await startNext('two');
  await settle();
  expect([count(HERE), inBox(THERE), inBox(HERE)]).toEqual([60, 30, 10]);
  await running.engine.stop({ snapshot });
  await startNext('three');
  await settle();
  expect([count(HERE), inBox(THERE), inBox(HERE)]).toEqual([60, 30, 10]);
});
