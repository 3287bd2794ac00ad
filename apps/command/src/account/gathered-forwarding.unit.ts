import { accountpb, OUTCOME_ACCEPTED, scanPostings, type PostingBatch } from '@sluice/protocol/account';
import { ANYBODY, type CallContext, type Caller, GatheredCall } from '@sluice/service';
import { GatheredForwarding } from './gathered-forwarding';
import { PARTITION_UNAVAILABLE, QUEUE_FULL } from './outcomes';
import { failShare, SHAPE_ISSUES, type PostingForwarding, type Positions } from './posting-router';

/** What a hop asks of a call. */
function callOf(caller: Caller = ANYBODY, deadlineMs = Number.POSITIVE_INFINITY): CallContext {
  return { caller, forwarded: false, deadlineMs } as CallContext;
}

const LARGEST_MESSAGE = 8 << 20;

function batchOf(requestIds: readonly string[], options: { atomic?: boolean; padding?: number } = {}): PostingBatch {
  const { atomic = false, padding = 0 } = options;
  const rest = padding === 0 ? {} : { counterparty: 'x'.repeat(128), metadata: { key: 'x'.repeat(padding) } };
  const postings = requestIds.map((requestId) => ({ requestId, accountId: 'a', type: 1, amountMinor: 1n, unit: 'EUR', ...rest }));
  return scanPostings(accountpb.PostBatchRequest.encode(accountpb.PostBatchRequest.fromPartial({ postings, atomic })).finish(), SHAPE_ISSUES);
}

function every(batch: PostingBatch): number[] {
  return Array.from({ length: batch.count }, (_, index) => index);
}

interface Hop {
  readonly partition: number;
  readonly requestIds: readonly string[];
  readonly call: CallContext;
}

/** The owners: they accept, unless the id says otherwise. */
class Owners implements PostingForwarding {
  readonly hops: Hop[] = [];
  private sequence = 0;

  async postings(partition: number, batch: PostingBatch, indexes: readonly number[], positions: Positions, call: CallContext): Promise<void> {
    this.hops.push({ partition, requestIds: indexes.map((index) => batch.requestId(index)), call });
    await Promise.resolve();
    for (const index of indexes) {
      const id = batch.requestId(index);
      batch.outcomes[index] = id.startsWith('refused') ? 1 : OUTCOME_ACCEPTED;
      batch.repeated[index] = id.endsWith('again') ? 1 : 0;
      batch.balancesAfter[index] = BigInt(id.length);
      batch.heldAfter[index] = 7n;
      batch.entryNumbers[index] = index + 1;
      if (id.startsWith('refused')) batch.messages.set(index, `why ${id}`);
    }
    this.sequence += 1;
    positions.set(partition, this.sequence);
  }
}

/** Sends batches at once, in one round of the event loop; resolves with the positions of each. */
function send(forwarding: GatheredForwarding, sent: readonly { partition: number; batch: PostingBatch; call?: CallContext }[]): Promise<Positions[]> {
  return Promise.all(
    sent.map(async ({ partition, batch, call = callOf() }) => {
      const positions: Positions = new Map();
      await forwarding.postings(partition, batch, every(batch), positions, call);
      return positions;
    }),
  );
}

test('what goes to one owner in one round of the event loop is one hop, and each posting has its own verdict', async () => {
  const owners = new Owners();
  const forwarding = new GatheredForwarding(owners, LARGEST_MESSAGE);
  const batches = [batchOf(['one']), batchOf(['refused two']), batchOf(['three again', 'x', 'refused five']), batchOf(['elsewhere'])];
  const positions = await send(
    forwarding,
    batches.map((batch, at) => ({ partition: at === 3 ? 1 : 0, batch })),
  );
  expect(owners.hops.map(({ partition, requestIds }) => [partition, requestIds])).toEqual([
    [0, ['one', 'refused two', 'three again', 'x', 'refused five']],
    [1, ['elsewhere']],
  ]);
  const verdicts = batches.map((batch) =>
    every(batch).map((index) => [batch.outcomes[index], batch.repeated[index], batch.balancesAfter[index], batch.heldAfter[index], batch.messages.get(index)]),
  );
  expect(verdicts).toEqual([
    [[OUTCOME_ACCEPTED, 0, 3n, 7n, undefined]],
    [[1, 0, 11n, 7n, 'why refused two']],
    [
      [OUTCOME_ACCEPTED, 1, 11n, 7n, undefined],
      [OUTCOME_ACCEPTED, 0, 1n, 7n, undefined],
      [1, 0, 12n, 7n, 'why refused five'],
    ],
    [[OUTCOME_ACCEPTED, 0, 9n, 7n, undefined]],
  ]);
  expect(batches[2]?.entryNumbers[1]).toBe(4);
  expect(positions.map((of) => [...of])).toEqual([[[0, 1]], [[0, 1]], [[0, 1]], [[1, 2]]]);
  // The next round is the next hop.
  await send(forwarding, [{ partition: 0, batch: batchOf(['later']) }]);
  expect(owners.hops.map(({ requestIds }) => requestIds.length)).toEqual([5, 1, 1]);
});

test('only the postings of the share travel', async () => {
  const owners = new Owners();
  const forwarding = new GatheredForwarding(owners, LARGEST_MESSAGE);
  const batch = batchOf(['a', 'b', 'c', 'd']);
  await Promise.all([forwarding.postings(0, batch, [1, 3], new Map(), callOf()), forwarding.postings(1, batch, [0], new Map(), callOf())]);
  expect(owners.hops.map(({ requestIds }) => requestIds)).toEqual([['b', 'd'], ['a']]);
  expect(Array.from(batch.outcomes.subarray(0, 4))).toEqual([OUTCOME_ACCEPTED, OUTCOME_ACCEPTED, 0, OUTCOME_ACCEPTED]);
});

test('a hop carries one caller: others travel apart, also one of the same name with other roles', async () => {
  const owners = new Owners();
  const forwarding = new GatheredForwarding(owners, LARGEST_MESSAGE);
  const caller = (name: string, ...roles: ('post' | 'read')[]): CallContext => callOf({ name, roles: new Set(roles) });
  const calls = [caller('shop', 'post'), caller('bank', 'post'), caller('shop', 'post'), caller('shop', 'post', 'read')];
  await send(
    forwarding,
    calls.map((call, at) => ({ partition: 0, batch: batchOf([`r${at}`]), call })),
  );
  expect(owners.hops.map(({ requestIds, call }) => [call.caller.name, [...call.caller.roles], requestIds])).toEqual([
    ['shop', ['post'], ['r0', 'r2']],
    ['bank', ['post'], ['r1']],
    ['shop', ['post', 'read'], ['r3']],
  ]);
});

test('a hop may take as long as the most patient of its calls', async () => {
  const owners = new Owners();
  const forwarding = new GatheredForwarding(owners, LARGEST_MESSAGE);
  for (const deadlines of [[5, 9, 7], [5, Number.POSITIVE_INFINITY], [5]]) {
    await send(
      forwarding,
      deadlines.map((deadlineMs) => ({ partition: 0, batch: batchOf(['r']), call: callOf(ANYBODY, deadlineMs) })),
    );
  }
  expect(owners.hops.map(({ call }) => call.deadlineMs)).toEqual([9, Number.POSITIVE_INFINITY, 5]);
});

test('what was gathered already travels on at once: a hop may end in a hop to another owner, and must not wait for hops that wait for it', async () => {
  const owners = new Owners();
  const forwarding = new GatheredForwarding(owners, LARGEST_MESSAGE);
  void forwarding.postings(0, batchOf(['a']), [0], new Map(), new GatheredCall(ANYBODY, 5));
  expect(owners.hops.map(({ requestIds }) => requestIds)).toEqual([['a']]);
});

test('an atomic batch travels alone, at once', async () => {
  const owners = new Owners();
  const forwarding = new GatheredForwarding(owners, LARGEST_MESSAGE);
  await send(forwarding, [
    { partition: 0, batch: batchOf(['a']) },
    { partition: 0, batch: batchOf(['b', 'c'], { atomic: true }) },
    { partition: 0, batch: batchOf(['d']) },
  ]);
  expect(owners.hops.map(({ requestIds }) => requestIds)).toEqual([
    ['b', 'c'],
    ['a', 'd'],
  ]);
});

test.each`
  what                                   | ids      | padding  | largest            | hops
  ${'1,000 postings'}                    | ${3_500} | ${0}     | ${LARGEST_MESSAGE} | ${[1_000, 1_000, 1_000, 500]}
  ${'1 MiB'}                             | ${2_000} | ${1_000} | ${LARGEST_MESSAGE} | ${[903, 903, 194]}
  ${'the largest message that is taken'} | ${10}    | ${50}    | ${700}             | ${[3, 3, 3, 1]}
`('a hop has no more than $what', async ({ ids, padding, largest, hops }: { ids: number; padding: number; largest: number; hops: number[] }) => {
  const owners = new Owners();
  await send(
    new GatheredForwarding(owners, largest),
    Array.from({ length: ids }, (_, at) => ({ partition: 0, batch: batchOf([`r${at % 10}`], { padding }) })),
  );
  expect(owners.hops.map(({ requestIds }) => requestIds.length)).toEqual(hops);
});

/** Owners who answer when the test says so. */
class SlowOwners extends Owners {
  private readonly open: (() => void)[] = [];

  override async postings(...share: Parameters<Owners['postings']>): Promise<void> {
    const answered = super.postings(...share);
    await new Promise<void>((resolve) => this.open.push(resolve));
    await answered;
  }

  get ids(): (readonly string[])[] {
    return this.hops.map(({ requestIds }) => requestIds);
  }

  /** Answers the hops that are not answered, the first of them or all. */
  async answer(count = this.open.length): Promise<void> {
    for (const resolve of this.open.splice(0, count)) resolve();
    await round();
    await round();
  }
}

const round = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('a share waits while an earlier one of its call is under way, so that order holds; other calls do not wait', async () => {
  const owners = new SlowOwners();
  const forwarding = new GatheredForwarding(owners, LARGEST_MESSAGE);
  const stream = callOf();
  const post = (id: string, call: CallContext = callOf()): Promise<void> => forwarding.postings(0, batchOf([id]), [0], new Map(), call);
  const answered = [post('s1', stream), post('s2', stream), post('u1')];
  await round();
  answered.push(post('s3', stream), post('u2'), post('s4', stream));
  await round();
  expect(owners.ids).toEqual([['s1', 's2', 'u1'], ['u2']]);
  await owners.answer(1);
  expect(owners.ids.slice(2)).toEqual([['s3', 's4']]);
  await owners.answer();
  await Promise.all(answered);
});

test('while four hops are under way, shares gather for the next one', async () => {
  const owners = new SlowOwners();
  const forwarding = new GatheredForwarding(owners, LARGEST_MESSAGE);
  const answered: Promise<unknown>[] = [];
  for (let at = 0; at < 10; at += 1) {
    answered.push(send(forwarding, [{ partition: 0, batch: batchOf([`r${at}`]) }]));
    await round();
  }
  expect(owners.ids).toEqual([['r0'], ['r1'], ['r2'], ['r3']]);
  await owners.answer(1);
  expect(owners.ids.slice(4)).toEqual([['r4', 'r5', 'r6', 'r7', 'r8', 'r9']]);
  await owners.answer();
  await Promise.all(answered);
});

test('a hop that fails fails each of its postings', async () => {
  const failing: PostingForwarding = {
    postings: async (partition, batch, indexes) => failShare(batch, indexes, partition === 0 ? PARTITION_UNAVAILABLE : QUEUE_FULL),
  };
  const batches = [batchOf(['a', 'b']), batchOf(['c']), batchOf(['d'])];
  await send(
    new GatheredForwarding(failing, LARGEST_MESSAGE),
    batches.map((batch, at) => ({ partition: at === 2 ? 1 : 0, batch })),
  );
  expect(batches.map((batch) => Array.from(batch.outcomes.subarray(0, batch.count)))).toEqual([
    [PARTITION_UNAVAILABLE, PARTITION_UNAVAILABLE],
    [PARTITION_UNAVAILABLE],
    [QUEUE_FULL],
  ]);
});
