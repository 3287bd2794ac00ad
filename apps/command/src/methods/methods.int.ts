/** Methods of an ordinary capability: shape, verdicts, repeats, tokens, the hop to another owner. */
import { hashSeeds, SILENT_OBSERVER, Engine, type PartitionHop } from '@sluice/engine';
import { InProcessBus, ManualClock, MemoryEventLog, MemoryKeyring, MemoryLogStorage, MemorySnapshotStore, type MemoryBlocks } from '@sluice/memory';
import { decodePositionToken } from '@sluice/protocol';
import { ANYBODY, capabilityMetrics, functionOf, loadConfiguration, SluiceError, type CallContext } from '@sluice/service';
import { NO_METRICS } from '@sluice/telemetry';
import type { CommandContext, CommandPart } from '../command-capability';
import { notOwner } from '../peers/not-owner';
import { parcelCapability, PARCEL_METHODS, type PackAllResponse, type PackAnswer, type PackRequest, type PackResponse } from '../test/parcels';
import { partitionOfKey } from './partition-share';

const SEEDS = hashSeeds(Buffer.from('the secret of the tests'), Buffer.alloc(16));

const INCARNATION = '00112233445566778899aabbccddeeff';

/** One process: an engine that owns some partitions, and the methods over it. */
class Process {
  readonly engine: Engine;
  readonly rejected: string[] = [];
  private readonly part: CommandPart;
  private readonly context: CommandContext;

  constructor(storage: MemoryLogStorage, blocks: MemoryBlocks, clock: ManualClock, hop?: PartitionHop<CallContext>) {
    this.part = parcelCapability.create({
      clock,
      partitions: storage.partitions.length,
      keyring: new MemoryKeyring(),
      settings: loadConfiguration({}),
      metrics: capabilityMetrics(NO_METRICS),
      pool: 'off',
      trouble: () => undefined,
    });
    const observer = { ...SILENT_OBSERVER, rejected: (reason: string, count: number) => void this.rejected.push(`${reason} ${count}`) };
    this.engine = new Engine({
      log: new MemoryEventLog(storage),
      snapshots: new MemorySnapshotStore(blocks),
      bus: new InProcessBus({ clock }),
      clock,
      seeds: SEEDS,
      capabilities: [this.part.capability],
      owner: 'one',
      shared: true,
      observer,
    });
    this.context = {
      engine: this.engine,
      seeds: SEEDS,
      observer,
      incarnation: INCARNATION,
      ...(hop === undefined ? undefined : { hop }),
      transferMoney: () => Promise.reject(new Error('there are no accounts')),
    };
  }

  async bytes(method: 'pack' | 'packAll', request: Buffer, forwardedTo?: number): Promise<Buffer> {
    const [registration] = this.part.services(this.context);
    const run = functionOf(registration?.implementation[method] as object);
    if (run?.form !== 'unary') throw new Error(`${method} is not unary`);
    const call = { caller: ANYBODY, forwardedTo, forwarded: forwardedTo !== undefined } as CallContext;
    return (await run.run(request as never, call)) as Buffer;
  }

  /** Sends the messages one after the other, and resolves with the answers. */
  async stream(messages: Iterable<Buffer>): Promise<PackAnswer[]> {
    const [registration] = this.part.services(this.context);
    const run = functionOf(registration?.implementation['packStream'] as object);
    if (run?.form !== 'bidi') throw new Error('packStream is no stream');
    const answers: PackAnswer[] = [];
    const send = (answer: unknown): undefined => void answers.push(PARCEL_METHODS.packStream.responseDeserialize(answer as Buffer));
    const sent = async function* (): AsyncGenerator<Buffer> {
      yield* messages;
    };
    await run.run(sent() as never, send, { caller: ANYBODY, forwarded: false, end: () => undefined } as unknown as CallContext);
    return answers;
  }

  async pack(request: Partial<PackRequest>): Promise<PackResponse> {
    return PARCEL_METHODS.pack.responseDeserialize(
      await this.bytes('pack', Buffer.from(JSON.stringify({ grams: 1, requestId: '', parcelId: '', ...request }))),
    );
  }

  async packAll(...packs: readonly Partial<PackRequest>[]): Promise<PackAllResponse> {
    const request = { packs: packs.map((pack) => ({ grams: 1, requestId: '', parcelId: '', ...pack })) };
    return PARCEL_METHODS.packAll.responseDeserialize(await this.bytes('packAll', Buffer.from(JSON.stringify(request))));
  }
}

let running: Process[] = [];
afterEach(async () => {
  for (const { engine } of running) await engine.stop({ snapshot: false });
  running = [];
});

async function alone(): Promise<Process> {
  const process = new Process(new MemoryLogStorage({ partitions: 2, incarnation: INCARNATION }), new Map(), new ManualClock());
  running.push(process);
  await process.engine.own(0);
  await process.engine.own(1);
  return process;
}

/** Two processes with a partition each; the hops of the first one. */
const noStreams: Pick<PartitionHop<CallContext>, 'stream'> = {
  stream: () => {
    throw new Error('no method of these is a stream');
  },
};

async function two(): Promise<{ first: Process; second: Process; hops: string[] }> {
  const storage = new MemoryLogStorage({ partitions: 2, incarnation: INCARNATION });
  const blocks: MemoryBlocks = new Map();
  const clock = new ManualClock();
  const hops: string[] = [];
  const second = new Process(storage, blocks, clock, { ...noStreams, send: async (partition) => Promise.reject(notOwner(partition)) });
  const hop: PartitionHop<CallContext> = {
    ...noStreams,
    send: async (partition, { path }, request) => {
      hops.push(`${path} ${Buffer.from(request).toString()}`);
      return second.bytes(path.endsWith('All') ? 'packAll' : 'pack', Buffer.from(request), partition);
    },
  };
  const first = new Process(storage, blocks, clock, hop);
  running.push(first, second);
  await first.engine.own(0);
  await second.engine.own(1);
  return { first, second, hops };
}

const refusalOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'accepted',
    (error: unknown) => {
      if (!(error instanceof SluiceError)) throw error;
      const { reason, message, metadata } = error;
      return { reason, message, metadata };
    },
  );

/** A key of the partition. */
function keyOf(engine: Engine, partition: number): string {
  for (let at = 0; ; at += 1) if (partitionOfKey(engine, `parcel ${at}`) === partition) return `parcel ${at}`;
}

describe('one request', () => {
  test('is answered with the reply, and with the first one again, with a token each', async () => {
    const process = await alone();
    const first = await process.pack({ requestId: 'r', parcelId: 'p', grams: 5 });
    expect(first).toMatchObject({ grams: 5, repeated: false });
    await process.pack({ requestId: 's', parcelId: 'p', grams: 5 });
    expect(await process.pack({ requestId: 'r', parcelId: 'p', grams: 5 })).toMatchObject({ grams: 5, repeated: true });
    const partition = partitionOfKey(process.engine, 'p');
    expect([...decodePositionToken(first.positionToken).sequences]).toEqual([[partition, 2]]);
  });

  test.each`
    request                                         | field           | problem
    ${{ parcelId: 'p' }}                            | ${'request_id'} | ${'request_id has 0 bytes; it must have 1 to 128'}
    ${{ requestId: 'r' }}                           | ${'parcel_id'}  | ${'parcel_id has 0 bytes; it must have 1 to 128'}
    ${{ requestId: 'r', parcelId: 'é'.repeat(65) }} | ${'parcel_id'}  | ${'parcel_id has 130 bytes; it must have 1 to 128'}
    ${{ requestId: 'r', parcelId: 'p', grams: 0 }}  | ${'grams'}      | ${'grams must be above 0'}
  `('of the wrong shape is refused: $problem', async ({ request, field, problem }: { request: Partial<PackRequest>; field: string; problem: string }) => {
    const process = await alone();
    expect(await refusalOf(process.pack(request))).toEqual({ reason: 'INVALID_REQUEST', message: problem, metadata: { field } });
  });

  test('that is not the message is refused', async () => {
    const process = await alone();
    for (const method of ['pack', 'packAll'] as const)
      expect(await refusalOf(process.bytes(method, Buffer.from('{')))).toMatchObject({ reason: 'INVALID_REQUEST', metadata: { field: 'request' } });
  });

  test('that is rejected gets the reason with what it says, and the same again; another body is refused', async () => {
    const process = await alone();
    await process.pack({ requestId: 'q', parcelId: 'p', grams: 900 });
    const rejected = { reason: 'ACCOUNT_FROZEN', metadata: { grams: '900' } };
    expect(await refusalOf(process.pack({ requestId: 'r', parcelId: 'p', grams: 200 }))).toMatchObject(rejected);
    expect(await refusalOf(process.pack({ requestId: 'r', parcelId: 'p', grams: 200 }))).toMatchObject(rejected);
    expect(await refusalOf(process.pack({ requestId: 'r', parcelId: 'p', grams: 50 }))).toMatchObject({ reason: 'REQUEST_ID_REUSED' });
    expect(process.rejected).toEqual(['ACCOUNT_FROZEN 1', 'ACCOUNT_FROZEN 1', 'REQUEST_ID_REUSED 1']);
  });

  test('for a partition that no instance serves is unavailable', async () => {
    const process = await alone();
    await process.engine.disown(partitionOfKey(process.engine, 'p'), { snapshot: false });
    expect(await refusalOf(process.pack({ requestId: 'r', parcelId: 'p' }))).toMatchObject({ reason: 'PARTITION_UNAVAILABLE' });
  });

  test('for another owner goes there with the bytes that the caller sent', async () => {
    const { first, second, hops } = await two();
    const parcelId = keyOf(first.engine, 1);
    const bytes = Buffer.from(`{"requestId":"r", "parcelId":"${parcelId}", "grams":7, "of":"a later version"}`);
    const response = PARCEL_METHODS.pack.responseDeserialize(await first.bytes('pack', bytes));
    expect(response).toMatchObject({ grams: 7, repeated: false });
    expect(hops).toEqual([`/parcel.ParcelCommandService/Pack ${bytes.toString()}`]);
    expect(await second.pack({ requestId: 'r', parcelId, grams: 7 })).toMatchObject({ grams: 7, repeated: true });
  });

  test('that was sent on to an instance without the partition is refused there', async () => {
    const { second, first } = await two();
    const bytes = Buffer.from(JSON.stringify({ requestId: 'r', parcelId: keyOf(first.engine, 0), grams: 1 }));
    expect(await refusalOf(second.bytes('pack', bytes, 0))).toMatchObject({ reason: 'PARTITION_UNAVAILABLE', metadata: { not_owner: 'true' } });
  });
});

describe('many requests', () => {
  test('have a result each, here and at another owner, and one token', async () => {
    const { first, hops } = await two();
    const here = keyOf(first.engine, 0);
    const there = keyOf(first.engine, 1);
    await first.pack({ requestId: 'full', parcelId: there, grams: 1_000 });
    const { results, positionToken } = await first.packAll(
      { requestId: 'a', parcelId: here, grams: 3 },
      { requestId: 'b', parcelId: there, grams: 3 },
      { requestId: 'c', parcelId: here, grams: 0 },
      { requestId: 'a', parcelId: here, grams: 3 },
      { requestId: 'full', parcelId: there, grams: 1_000 },
    );
    expect(results).toEqual([
      { grams: 3, repeated: false },
      { error: expect.objectContaining({ reason: 'ACCOUNT_FROZEN' }) },
      { error: { code: 3, reason: 'INVALID_REQUEST', message: 'packs[2].grams must be above 0' } },
      { grams: 3, repeated: true },
      { grams: 1_000, repeated: true },
    ]);
    expect(hops).toHaveLength(2);
    expect([...decodePositionToken(positionToken).sequences.keys()].sort()).toEqual([0, 1]);
  });

  test('whose owner does not answer are unavailable, and the others have their results', async () => {
    const { first, second } = await two();
    await second.engine.disown(1, { snapshot: false });
    const { results } = await first.packAll({ requestId: 'a', parcelId: keyOf(first.engine, 1) }, { requestId: 'a', parcelId: keyOf(first.engine, 0) });
    expect(results).toEqual([{ error: expect.objectContaining({ reason: 'PARTITION_UNAVAILABLE' }) }, { grams: 1, repeated: false }]);
  });

  test('that record more than one commit has room for are decided in several, in order', async () => {
    const process = await alone();
    const packs = Array.from({ length: 9_000 }, (_, at) => ({
      requestId: `r${at}`,
      parcelId: at % 2 === 0 ? 'even' : `odd ${at}`,
      grams: at % 2 === 0 && at < 1_998 ? 1 : 2,
    }));
    const { results } = await process.packAll(...packs);
    expect(results.filter(({ error }) => error === undefined)).toHaveLength(4_500 + 999);
    expect(results[1_996]).toEqual({ grams: 999, repeated: false });
    expect(results[1_998]).toMatchObject({ error: { reason: 'ACCOUNT_FROZEN' } });
  });

  test.each([
    ['none', 0, 'INVALID_REQUEST'],
    ['more than a batch may have', 10_001, 'BATCH_TOO_LARGE'],
  ])('are refused whole where there are %s', async (_what, count, reason) => {
    const process = await alone();
    const packs = Array.from({ length: count }, (_, at) => ({ requestId: `r${at}`, parcelId: 'p' }));
    expect(await refusalOf(process.packAll(...packs))).toMatchObject({ reason });
  });
});

describe('requests on a stream', () => {
  const message = (request: Partial<PackRequest>): Buffer => Buffer.from(JSON.stringify({ grams: 1, requestId: '', parcelId: '', ...request }));

  test('are answered one by one, here and at another owner, each with the position of its own partition', async () => {
    const { first, hops } = await two();
    const here = keyOf(first.engine, 0);
    const there = keyOf(first.engine, 1);
    await first.pack({ requestId: 'full', parcelId: there, grams: 1_000 });
    const answers = await first.stream([
      message({ requestId: 'a', parcelId: here, grams: 3 }),
      message({ requestId: 'b', parcelId: there, grams: 3 }),
      message({ requestId: 'c', parcelId: here, grams: 0 }),
      message({ requestId: '', parcelId: here }),
      message({ requestId: 'a', parcelId: here, grams: 3 }),
      message({ requestId: 'full', parcelId: there, grams: 1_000 }),
    ]);
    const partitionsOf = (token: string): number[] => (token === '' ? [] : [...decodePositionToken(token).sequences.keys()]);
    expect(
      answers.map(({ requestId, grams, repeated, error, positionToken }) => [requestId, error?.reason ?? grams, repeated, partitionsOf(positionToken)]),
    ).toEqual([
      ['a', 3, false, [0]],
      ['b', 'ACCOUNT_FROZEN', undefined, [1]],
      ['c', 'INVALID_REQUEST', undefined, []],
      ['', 'INVALID_REQUEST', undefined, []],
      ['a', 3, true, [0]],
      ['full', 1_000, true, [1]],
    ]);
    expect(answers[2]?.error?.message).toBe('pack.grams must be above 0');
    // The pack of the beginning, and those of the stream together.
    expect(hops.map((hop) => hop.split(' ')[0])).toEqual(['/parcel.ParcelCommandService/Pack', '/parcel.ParcelCommandService/PackAll']);
  });

  test('whose owner does not answer are unavailable, and the others have their results', async () => {
    const { first, second } = await two();
    await second.engine.disown(1, { snapshot: false });
    const answers = await first.stream([
      message({ requestId: 'a', parcelId: keyOf(first.engine, 1) }),
      message({ requestId: 'a', parcelId: keyOf(first.engine, 0) }),
    ]);
    expect(answers).toEqual([
      { requestId: 'a', error: expect.objectContaining({ reason: 'PARTITION_UNAVAILABLE' }), positionToken: '' },
      { requestId: 'a', grams: 1, repeated: false, positionToken: expect.any(String) },
    ]);
  });

  test('are decided once each, whatever their number', async () => {
    const process = await alone();
    const ids = Array.from({ length: 3_000 }, (_, at) => `r${at % 1_500}`);
    const answers = await process.stream(ids.map((requestId, at) => message({ requestId, parcelId: `p${(at % 1_500) % 7}` })));
    // Those of different partitions may overtake each other.
    expect(answers.map(({ requestId }) => requestId).sort()).toEqual(ids.sort());
    expect(answers.filter(({ repeated }) => repeated === true)).toHaveLength(1_500);
  });

  test('behind a message that is none are not done; those before it are answered', async () => {
    const process = await alone();
    const ended = process.stream([message({ requestId: 'a', parcelId: 'p' }), Buffer.from('{'), message({ requestId: 'b', parcelId: 'p' })]);
    expect(await refusalOf(ended)).toMatchObject({ reason: 'INVALID_REQUEST', metadata: { field: 'request' } });
    expect(await process.pack({ requestId: 'a', parcelId: 'p' })).toMatchObject({ grams: 1, repeated: true });
    expect(await process.pack({ requestId: 'b', parcelId: 'p' })).toMatchObject({ grams: 2, repeated: false });
  });
});
