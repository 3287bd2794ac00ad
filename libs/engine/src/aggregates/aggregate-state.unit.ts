/** What an ordinary capability gets from the engine: verdicts for ever, back pointers, consequences, snapshots, replay. */
import { decodeRequestsDecided, logEvents, logpb, type DecodedCommit, type EventRecord } from '@sluice/protocol';
import type { SettledDelivery } from '../internal/engine-room';
import type { InternalCommand } from '../internal/internal-command';
import { Turn } from '../partition/turn';
import { rounds, sorter } from '../test/partition-under-test';
import { encoded, handedOut, REMINDER_DUE_US, tallies, tallyCapability } from '../test/tally';
import { said, TallyPartition } from '../test/tally-partition';
import { CommitSearch } from '../requests/commit-search';
import { aggregateCommits } from './aggregate-commits';
import { AggregateSubmission } from './aggregate-submission';
import type { AggregateState } from './aggregate-state';
import { nameKey, recordedRequests, requestDecided } from './recorded-requests';

afterAll(() => sorter.close());

const add = (requestId: string, amount: number, key = 'a') => ['Add', { key, requestId, amount }] as const;

/** Events of the log in a line each: "Counted 5", "decided a/r1 BELOW_ZERO after 3". */
function lines(commits: readonly DecodedCommit[]): string[] {
  return commits.flatMap((commit) =>
    commit.events.flatMap((event) => {
      const decided = logEvents.readOnly('RequestDecided', event, commit);
      if (decided !== undefined)
        return [`${decided.aggregate} ${decided.key}/${decided.requestId}${decided.reason && ` ${decided.reason}`} after ${decided.previousSequence}`];
      return event.type === 'tally.Counted' ? [`counted ${Buffer.from(event.payload).toString()}`] : [];
    }),
  );
}

describe('requests', () => {
  test('each leaves its events and its verdict behind them, with a pointer to the commit before', async () => {
    const partition = await TallyPartition.started();
    await partition.ask(add('r1', 5), add('r2', 2), add('r1', 1, 'b'));
    await partition.ask(add('r3', -9));
    await partition.ask(add('r4', -7));
    expect(lines(partition.under.commits())).toEqual([
      'counted 5',
      'tally a/r1 after 0',
      'counted 2',
      'tally a/r2 after 0',
      'counted 1',
      'tally b/r1 after 0',
      'tally a/r3 BELOW_ZERO after 2',
      'counted -7',
      'tally a/r4 after 3',
    ]);
    expect([partition.state.sequenceOf('tally', 'a'), partition.state.sequenceOf('tally', 'b'), partition.state.sequenceOf('tally', 'c')]).toEqual([4, 2, 0]);
  });

  // One row per case: what was asked first, what is asked then, and what that is answered.
  test.each`
    first                       | then                       | answer
    ${add('r', 5)}              | ${add('r', 5)}             | ${'5 again'}
    ${add('r', 5)}              | ${add('r', 6)}             | ${'reused'}
    ${add('r', 5)}              | ${add('r', 5, 'b')}        | ${'5'}
    ${add('r', 5)}              | ${add('s', 5)}             | ${'10'}
    ${add('r', -5)}             | ${add('r', -5)}            | ${'BELOW_ZERO count=0 again'}
    ${add('r', -5)}             | ${add('r', 5)}             | ${'reused'}
    ${add('r', 0)}              | ${add('r', 0)}             | ${'NOTHING_TO_COUNT'}
    ${add('r', 0)}              | ${add('r', 5)}             | ${'5'}
    ${['Hand', add('r', 5)[1]]} | ${add('r', 5)}             | ${'reused'}
    ${add('r', 5)}              | ${['Put', add('r', 5)[1]]} | ${'5'}
  `('$first, then $then: $answer', async ({ first, then, answer }: { first: ReturnType<typeof add>; then: ReturnType<typeof add>; answer: string }) => {
    const partition = await TallyPartition.started();
    await partition.ask(first);
    expect((await partition.ask(then)).map(said)).toEqual([answer]);
    // The same from a snapshot, from the log, and in one turn.
    await partition.under.partition.stop({ snapshot: true });
    const again = await partition.next();
    const repeated = answer.endsWith('again') || answer === 'reused' || answer === 'NOTHING_TO_COUNT' ? answer : `${answer} again`;
    expect((await again.ask(then)).map(said)).toEqual([repeated]);
    const fresh = await TallyPartition.started();
    expect((await fresh.ask(first, then)).map(said)[1]).toBe(answer);
  });

  test('an answer that records nothing names the newest commit, and a repeat at least its own', async () => {
    const partition = await TallyPartition.started();
    await partition.ask(add('r', 5));
    await partition.ask(add('s', 5, 'b'));
    expect((await partition.ask(add('t', 0)))[0]).toMatchObject({ sequence: 3 });
    expect((await partition.ask(add('r', 5)))[0]).toMatchObject({ sequence: 3, repeated: true });
  });

  test.each([
    ['nothing was stored', false],
    ['the commit was stored', true],
  ])('a turn whose append fails is unavailable, and the request has one answer when it comes again: %s', async (_what, stored) => {
    const partition = await TallyPartition.started();
    await partition.ask(add('r', 5));
    if (stored) partition.under.log.faults.failNextAppendAfterStoring();
    else partition.under.log.faults.failNextAppend();
    expect((await partition.ask(add('s', 2))).map(said)).toEqual(['PARTITION_UNAVAILABLE']);
    await partition.under.untilLoaded();
    expect((await partition.ask(add('s', 2))).map(said)).toEqual([stored ? '7 again' : '7']);
    expect(partition.count('a')).toBe(7);
  });
});

describe('what follows from a decision', () => {
  /** A turn that writes down what is asked of it. */
  function recordingTurn(): { turn: Turn; asked: unknown[] } {
    const asked: unknown[] = [];
    const turn = {
      sequence: 9,
      committedAtUs: 1,
      event: (type: string, version: number, payload: Uint8Array) => {
        const decided = logEvents.readOnly('RequestDecided', { type, version, payload }, { partition: 1, sequence: 9 });
        asked.push(decided === undefined ? `${type} ${Buffer.from(payload).toString()}` : `decided by ${logpb.RequestOrigin[decided.origin]}`);
      },
      owe: (owed: object) => asked.push({ owed }),
      setTimer: (set: object) => asked.push({ set }),
      cancelTimer: (cancelled: object) => asked.push({ cancelled }),
      whenDurable: (handOut: () => void) => handOut(),
    };
    return { turn: turn as unknown as Turn, asked };
  }

  const internal = (method: string, amount: number, id: string): InternalCommand => ({
    capability: 'tally',
    method,
    key: 'a',
    payload: encoded({ key: 'a', amount }),
    id,
    origin: 'delivery',
  });

  async function decided(...commands: InternalCommand[]) {
    const { state } = await TallyPartition.started();
    const { turn, asked } = recordingTurn();
    return { verdicts: state.decideInternal(turn, commands), asked, state };
  }

  test('what is owed names its aggregate, with the kind', async () => {
    const { asked } = await decided(internal('Send', 3, 'd-0-1-1'));
    expect(asked).toEqual([
      'tally.Counted -3',
      { owed: { capability: 'tally', method: 'Put', key: 'a', payload: encoded({ key: 'a', amount: 3 }), owedBy: { capability: 'tally', key: 'tally/a' } } },
      'decided by REQUEST_ORIGIN_DELIVERY',
    ]);
  });

  test('timers are of the aggregate and its kind', async () => {
    const { asked } = await decided(internal('Remind', 3, 'd-0-1-1'), internal('Remind', 0, 'd-0-1-2'));
    const name = { capability: 'tally', key: 'a', timerId: 'tally/reminder' };
    expect(asked.filter((one) => typeof one === 'object')).toEqual([
      { set: { ...name, dueAtUs: REMINDER_DUE_US, method: 'Add', payload: encoded({ key: 'a', amount: 3 }) } },
      { cancelled: name },
    ]);
  });

  test('deliveries are decided in order, and nothing behind one that cannot be decided is', async () => {
    const unreadable = { ...internal('Add', 1, 'd-0-1-4'), payload: encoded({ amount: 'much' as never }) };
    const { verdicts, state } = await decided(
      internal('Add', 5, 'd-0-1-1'),
      internal('Add', -9, 'd-0-1-2'),
      internal('Add', 0, 'd-0-1-3'),
      unreadable,
      internal('Add', 5, 'd-0-1-5'),
    );
    expect(verdicts).toEqual([
      { kind: 'accepted', payload: Buffer.from('5') },
      { kind: 'rejected', reason: 'BELOW_ZERO', payload: new Uint8Array(0) },
      { kind: 'rejected', reason: 'NOTHING_TO_COUNT', payload: new Uint8Array(0) },
      { kind: 'undecidable', reason: 'Add cannot be read: amount is missing' },
    ]);
    expect(state.stateOf('tally', 'a')).toEqual({ count: 5, changes: 1 });
    const { verdicts: unknown } = await decided(internal('Steal', 5, 'd-0-1-1'));
    expect(unknown).toEqual([{ kind: 'undecidable', reason: 'tally has no method Steal' }]);
    const { verdicts: misled } = await decided({ ...internal('Add', 5, 'd-0-1-1'), key: 'b' });
    expect(misled).toEqual([{ kind: 'undecidable', reason: 'Add names a and is for b' }]);
  });

  test('the aggregate that owed a delivery reacts to its verdict, and to an acceptance with nothing', async () => {
    const { state } = await TallyPartition.started();
    const { turn, asked } = recordingTurn();
    const delivery: SettledDelivery = {
      capability: 'tally',
      method: 'Put',
      key: 'a',
      partition: 0,
      payload: encoded({ amount: 3 }),
      owedBy: { capability: 'tally', key: 'tally/a' },
      id: 'd-1-0-1',
      accepted: false,
      reason: 'BOX_FULL',
      answer: new Uint8Array(0),
    };
    state.settled(turn, [delivery, { ...delivery, id: 'd-1-0-2', accepted: true, reason: '' }]);
    expect(asked).toEqual(['tally.Counted 3', 'decided by REQUEST_ORIGIN_SETTLED']);
  });

  test.each([
    ['when the commit is durable', false, [4]],
    ['never when the turn is lost', true, []],
  ])('something is handed out %s', async (_when, fails, expected) => {
    handedOut.length = 0;
    const partition = await TallyPartition.started();
    const release = partition.under.log.faults.holdAppends();
    if (fails) partition.under.log.faults.failNextAppend();
    const answer = partition.one('Hand', { key: 'a', requestId: 'r', amount: 4 });
    await partition.under.log.faults.whenHeld(1);
    expect(handedOut).toEqual([]);
    release();
    await answer;
    expect(handedOut).toEqual(expected);
  });
});

test('a timer that a decision sets asks the aggregate when it is due, and its answer is no answer to a caller', async () => {
  const partition = await TallyPartition.started();
  await partition.one('Remind', { key: 'a', requestId: 'r', amount: 3 });
  await partition.under.timers.of(1)?.fire(REMINDER_DUE_US);
  await rounds();
  expect(partition.count('a')).toBe(3);
  expect(lines(partition.under.commits()).slice(-2)).toEqual(['counted 3', `tally a/t-tally/reminder-${REMINDER_DUE_US} after 2`]);
  // A caller that names its request like the timer is not answered from it.
  expect(said(await partition.one('Add', { key: 'a', requestId: `t-tally/reminder-${REMINDER_DUE_US}`, amount: 3 }))).toBe('6');
  await partition.under.partition.stop({ snapshot: false });
  expect((await partition.next()).count('a')).toBe(6);
});

describe('the total of a kind', () => {
  test('is that of its aggregates: of requests, deliveries and verdicts, from the log and from a snapshot', async () => {
    const partition = await TallyPartition.started();
    await partition.ask(add('r1', 5), add('r2', 7, 'b'), add('r1', 5));
    expect(partition.state.totalOf('tally')).toBe(12);
    await partition.ask(['Send', { key: 'a', requestId: 's1', amount: 2 }]);
    expect(partition.state.totalOf('tally')).toBe(10);
    await partition.under.partition.stop({ snapshot: false });
    const second = await partition.next();
    expect(second.state.totalOf('tally')).toBe(10);
    await second.under.partition.stop({ snapshot: true });
    const third = await second.next();
    expect([third.state.totalOf('tally'), third.state.totalOf('box')]).toEqual([10, 0]);
    await third.ask(add('r3', 1));
    expect(third.state.totalOf('tally')).toBe(11);
  });

  test('of a snapshot without totals is not known, and stays so', async () => {
    const partition = await TallyPartition.started();
    await partition.ask(add('r1', 5));
    const session = partition.state.beginSnapshot();
    const [, ...records] = [session.next(), session.next()] as Uint8Array[];
    const { state } = await TallyPartition.started();
    for (const block of records) state.restore(block, 1);
    expect(state.totalOf('tally')).toBeUndefined();
    const again = await TallyPartition.started();
    again.state.restore(state.beginSnapshot().next() as Uint8Array, 2);
    expect(again.state.totalOf('tally')).toBeUndefined();
  });
});

describe('aggregates whose states stay as they are', () => {
  const note = (requestId: string, amount: number, key = 'n') => ['Note', { key, requestId, amount }] as const;
  const notesOf = (state: AggregateState, key = 'n') => (state.stateOf('notebook', key) as { notes: string[] } | undefined)?.notes;

  test('are in a snapshot as they were when it began, with their pointers, empty ones too', async () => {
    const partition = await TallyPartition.started();
    await partition.ask(note('r1', 1), note('r2', 2), note('r3', 0, 'empty'));
    await partition.ask(note('r3', 3));
    const session = partition.state.beginSnapshot();
    const blocks = [session.next() as Uint8Array];
    await partition.ask(note('r4', 4), note('r1', 1, 'new'));
    for (let block = session.next(); block !== undefined; block = session.next()) blocks.push(block);
    session.end(true);
    const { state } = await TallyPartition.started();
    for (const block of blocks) state.restore(block, 2);
    expect([notesOf(state), notesOf(state, 'empty'), notesOf(state, 'new')]).toEqual([['1 in 2', '2 in 2', '3 in 3'], [], undefined]);
    expect([state.sequenceOf('notebook', 'n'), state.sequenceOf('notebook', 'empty')]).toEqual([3, 2]);
  });

  test('come back from a snapshot and from the log', async () => {
    const partition = await TallyPartition.started();
    await partition.ask(note('r1', 1));
    await partition.under.partition.stop({ snapshot: true });
    const next = await partition.next();
    expect((await next.ask(note('r1', 1), note('r2', 2))).map(said)).toEqual(['0 again', '1']);
    await next.under.partition.stop({ snapshot: false });
    expect(notesOf((await next.next()).state)).toEqual(['1 in 2', '2 in 4']);
  });
});

test('commits of an aggregate are read newest first, and no other commit is read', async () => {
  const partition = await TallyPartition.started();
  for (let at = 1; at <= 6; at += 1) {
    await partition.ask(add(`r${at}`, 1));
    await partition.ask(add(`r${at}`, 1, 'other'));
  }
  const { state } = partition;
  const read: number[] = [];
  const found: number[] = [];
  const name = { capability: 'tally', aggregate: 'tally', key: 'a' };
  for await (const { sequence } of aggregateCommits(name, state.sequenceOf('tally', 'a'), (sequence) => {
    read.push(sequence);
    return state.recall(sequence);
  })) {
    found.push(sequence);
    if (found.length === 4) break;
  }
  expect([found, read]).toEqual([
    [12, 10, 8, 6],
    [12, 10, 8, 6],
  ]);
  const wrong = aggregateCommits({ ...name, key: 'nobody' }, 12, (sequence) => state.recall(sequence));
  await expect(wrong.next()).rejects.toThrow('sequence 12 of partition 1 holds nothing of tally nobody');
});

describe('a kind that gathers', () => {
  const sum = (events: readonly { readonly amount: number }[]) => [{ amount: events.reduce((amount, event) => amount + event.amount, 0) }];
  const capabilities = [tallyCapability({ aggregates: [{ ...tallies, gather: sum }] as never })];

  test('has one event and one verdict event of a turn for each aggregate, and requests have their answers from it for ever', async () => {
    const partition = await TallyPartition.started({ capabilities });
    const asked = [add('r1', 5), add('r2', 2), add('r1', 1, 'b'), add('r3', -9), add('r4', 0)] as const;
    const answers = ['5', '7', '1', 'BELOW_ZERO count=7', 'NOTHING_TO_COUNT'];
    expect((await partition.ask(...asked)).map(said)).toEqual(answers);
    await partition.ask(add('r5', 1));
    const [, first, second] = partition.under.commits();
    const together = (first as DecodedCommit).events.map((event) => {
      const decided = logEvents.readOnly('RequestsDecided', event, first as DecodedCommit);
      return decided && decodeRequestsDecided(decided).requests.map(({ requestId }) => requestId);
    });
    expect(together).toEqual([undefined, ['r1', 'r2', 'r3'], undefined, undefined]);
    expect(lines([first as DecodedCommit, second as DecodedCommit])).toEqual([
      'counted 7',
      'counted 1',
      'tally b/r1 after 0',
      'counted 1',
      'tally a/r5 after 2',
    ]);
    await partition.under.partition.stop({ snapshot: false });
    const next = await partition.next({ capabilities });
    expect((await next.ask(...asked)).map(said)).toEqual(['5 again', '7 again', '1 again', 'BELOW_ZERO count=7 again', 'NOTHING_TO_COUNT']);
    expect(said(await next.one('Add', { key: 'a', requestId: 'r2', amount: 3 }))).toBe('reused');
    expect([next.count('a'), next.count('b')]).toEqual([8, 1]);
  });

  test('is written once when another capability gathers in the same turn', async () => {
    const { state } = await TallyPartition.started({ capabilities });
    const written: string[] = [];
    const commit = { event: (type: string) => void written.push(type) };
    const turn = new Turn(9, 1, commit as never, {} as never, []);
    const command = (amount: number): InternalCommand => ({
      ...{ capability: 'tally', method: 'Add', key: 'a', id: `d-0-1-${amount}`, origin: 'delivery' },
      payload: encoded({ key: 'a', amount }),
    });
    state.decideInternal(turn, [command(1), command(2)]);
    turn.gather({ flush: () => void written.push('another') });
    turn.flush();
    expect(written).toEqual(['tally.Counted', 'log.RequestsDecided', 'another']);
  });
});

test('a sibling reads what the capability shows', async () => {
  const partition = await TallyPartition.started();
  await partition.ask(add('r', 5));
  expect([partition.count('a'), partition.count('b')]).toEqual([5, 0]);
});

test('pointers go on over a snapshot', async () => {
  const partition = await TallyPartition.started();
  await partition.ask(add('r1', 5));
  await partition.under.partition.stop({ snapshot: true });
  const next = await partition.next();
  await next.ask(add('r2', 5));
  expect(lines(next.under.commits()).at(-1)).toBe('tally a/r2 after 2');
});

describe('replay', () => {
  const event: EventRecord = tallies.events.write({ amount: 3 }, 'a');
  const header = (sequence: number) => ({ partition: 1, sequence, committedAtUs: 1 }) as DecodedCommit;
  const verdict = (aggregate: string) =>
    logpb.RequestDecided.fromPartial({ capability: 'tally', aggregate, key: 'a', requestId: 'r', origin: logpb.RequestOrigin.REQUEST_ORIGIN_TIMER });

  test('events without a verdict behind them stop it', async () => {
    const { state } = await TallyPartition.started();
    state.replay(event, header(7));
    expect(() => state.replay(event, header(8))).toThrow('partition 1, sequence 7: events without a verdict behind them');
    expect(() => state.replayRequest(verdict('tally'), header(8))).toThrow('partition 1, sequence 7: events without a verdict behind them');
  });

  test('a verdict of a kind that is not known stops it', async () => {
    const { state } = await TallyPartition.started();
    expect(() => state.replayRequest(verdict('jar'), header(7))).toThrow('tally has no aggregates of the kind "jar"');
  });
});

test('a method that says too little of what it records is told to the operator, and its requests are answered', async () => {
  const troubles: string[] = [];
  const talkative = tallyCapability({ trouble: (_partition, what, error) => void troubles.push(`${what}: ${String(error)}`) });
  const partition = await TallyPartition.started({ capabilities: [talkative] });
  expect(said(await partition.one('Add', { key: 'a', requestId: 'r', amount: 5 }))).toBe('5');
  expect(troubles).toEqual([]);
  const body = { ...talkative.read('Add', encoded({ key: 'a', requestId: 's', amount: 5 })), recordBytes: -250 };
  const request = talkative.request('Add', body, partition.under.partition.seeds);
  await new Promise<void>((resolve) => new AggregateSubmission(partition.under.partition, 'tally', [request], resolve).submit());
  expect(request.verdict).toMatchObject({ kind: 'accepted' });
  expect(troubles).toEqual([
    expect.stringMatching(/a decision records more than its method says: Error: tally: request s recorded \d+ bytes, its method says 6 at most/),
  ]);
});

describe('a capability', () => {
  test.each([
    ['has aggregates', [], 'a capability without aggregates'],
    ['has a kind once', [tallies, tallies], 'tally has a kind of aggregates twice'],
    ['has a method once', [tallies, { ...tallies, aggregate: 'second' }], 'tally has the method Add twice'],
    ['is one', [tallies, { ...tallies, capability: 'other' }], 'tally is of other, not of tally'],
    ['names its kinds without slashes', [{ ...tallies, aggregate: 'a/b' }], 'the kind "a/b" has a slash in its name'],
  ])('%s', (_what, aggregates, message) => {
    expect(() => tallyCapability({ aggregates })).toThrow(message);
  });
});

test('a verdict that was written by the first version is read for ever', async () => {
  const written = 'CgV0YWxseRIFdGFsbHkaAWEiAXIoATIQAAECAwQFBgcICQoLDA0ODzoKQkVMT1dfWkVST0IKCgVjb3VudBIBM1AG';
  const payload = Buffer.from(written, 'base64');
  const event = { type: 'log.RequestDecided', version: 1, payload };
  const digest = Uint8Array.from({ length: 16 }, (_, at) => at);
  const name = { capability: 'tally', aggregate: 'tally', key: 'a' };
  const search = new CommitSearch(async () => ({ events: [event], partition: 0, sequence: 1 }) as unknown as DecodedCommit);
  expect(await search.find(recordedRequests, 1, nameKey(name), 'r')).toEqual({
    bodyDigest: Buffer.from(digest),
    verdict: { kind: 'rejected', reason: 'BELOW_ZERO', metadata: { count: '3' } },
  });
  const now = requestDecided({
    ...name,
    requestId: 'r',
    origin: 'caller',
    bodyDigest: digest,
    verdict: { kind: 'rejected', reason: 'BELOW_ZERO', metadata: { count: '3' } },
    previousSequence: 6,
  });
  expect(Buffer.from(now.payload).toString('base64')).toBe(written);
});
