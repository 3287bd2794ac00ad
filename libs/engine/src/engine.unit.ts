/** How partitions change hands between processes: prepared or not, in order or not. */
import * as fc from 'fast-check';
import { CorruptCommitError } from '@sluice/protocol';
import { Cluster, HeldReads, type EngineUnderTest } from './test/engine-under-test';
import { hashOf } from './test/journal';
import { rounds } from './test/partition-under-test';
import type { Partition } from './partition/partition';
import { AbandonedError } from './partition/partition-memory';

const PARTITION = 1;
/** Longer than the pause between two looks at the log. */
const LOOK_MS = 200;

let cluster: Cluster;
let one: EngineUnderTest;
let two: EngineUnderTest;

beforeEach(() => {
  cluster = new Cluster();
  one = cluster.process('one');
  two = cluster.process('two');
});

afterEach(() => cluster.stop());

describe('a prepared partition', () => {
  test('is what a loaded one is, whatever its owner wrote before and meanwhile', async () => {
    const step = fc.oneof(
      fc.integer({ min: 1, max: 30 }).map((lines) => ({ kind: 'write', lines }) as const),
      fc.constant({ kind: 'look' } as const),
      fc.constant({ kind: 'prepare' } as const),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), fc.boolean(), fc.constantFrom(1, 200, 1 << 20), async (steps, inOrder, snapshotBytes) => {
        const world = new Cluster();
        const [old, next, plain] = ['old', 'next', 'plain'].map((owner) => world.process(owner, { limits: { snapshotBytes } })) as [
          EngineUnderTest,
          EngineUnderTest,
          EngineUnderTest,
        ];
        await old.engine.own(PARTITION);
        let written = 0;
        for (const { kind, ...rest } of steps) {
          if (kind === 'look') await world.clock.elapse(LOOK_MS);
          else if (kind === 'prepare') await next.engine.prepare(PARTITION);
          else for (let line = 0; line < (rest as { lines: number }).lines; line += 1) await old.write(PARTITION, `line ${(written += 1)}`);
        }
        if (inOrder) await old.engine.disown(PARTITION, { snapshot: false });
        await next.engine.own(PARTITION);
        const lines = Array.from({ length: written }, (_, at) => `line ${at + 1}`);
        expect(next.lines(PARTITION)).toEqual(lines);
        await expectKnown(next, lines);
        expect(await next.write(PARTITION, 'new')).toMatchObject({ numbers: [written + 1] });
        if (!inOrder) expect(await old.write(PARTITION, 'late')).toBe('NOT_OWNER');
        await plain.engine.own(PARTITION);
        expect(plain.lines(PARTITION)).toEqual([...lines, 'new']);
        await world.stop();
      }),
      { numRuns: 60 },
    );
  });

  test('needs one read of the log and one append when its owner lets go', async () => {
    await one.engine.own(PARTITION);
    for (let line = 0; line < 50; line += 1) await one.write(PARTITION, `line ${line}`);
    await two.engine.prepare(PARTITION);
    await one.write(PARTITION, 'while it is prepared');
    await cluster.clock.elapse(LOOK_MS);
    await one.engine.disown(PARTITION, { snapshot: false });
    const reads = new HeldReads(two.log);
    await two.engine.own(PARTITION);
    expect(reads.reads).toBe(1);
    expect(two.lines(PARTITION)).toHaveLength(51);
    expect(two.troubles).toEqual([]);
  });

  test('appends nothing and takes nothing before it is owned', async () => {
    await one.engine.own(PARTITION);
    await two.engine.prepare(PARTITION);
    await cluster.clock.elapse(LOOK_MS);
    expect(two.engine.partition(PARTITION)).toBeUndefined();
    expect(await one.write(PARTITION, 'a')).toMatchObject({ sequence: 2 });
  });

  test('that is abandoned reads nothing any more, and can be prepared again', async () => {
    await one.engine.own(PARTITION);
    const reads = new HeldReads(two.log);
    await two.engine.prepare(PARTITION);
    await two.engine.abandon(PARTITION);
    const before = reads.reads;
    await cluster.clock.elapse(10 * LOOK_MS);
    expect(reads.reads).toBe(before);
    await two.engine.prepare(PARTITION);
    await two.engine.own(PARTITION);
    expect(two.engine.owned).toEqual([PARTITION]);
  });

  test('of a log that does not verify is refused, and its owner goes on', async () => {
    await one.engine.own(PARTITION);
    for (const line of ['a', 'b', 'c']) await one.write(PARTITION, line);
    damage(2);
    await expect(two.engine.prepare(PARTITION)).rejects.toThrow(CorruptCommitError);
    expect(await one.write(PARTITION, 'd')).toMatchObject({ numbers: [4] });
  });
});

describe('a preparation that goes wrong is a plain load', () => {
  async function expectTakenOver(): Promise<void> {
    const before = await linesOfFreshProcess();
    await two.engine.own(PARTITION);
    expect(two.lines(PARTITION)).toEqual(before);
    await expectKnown(two, before);
    expect(await two.write(PARTITION, 'after')).toMatchObject({ numbers: [before.length + 1] });
  }

  /** What a process finds that starts from the log alone. */
  async function linesOfFreshProcess(): Promise<readonly string[]> {
    const world = new Cluster();
    for (const commit of cluster.storage.commitsOf(PARTITION)) world.storage.commitsOf(PARTITION).push(commit);
    const fresh = world.process('fresh');
    await fresh.engine.own(PARTITION);
    const lines = [...fresh.lines(PARTITION)];
    await world.stop();
    return lines;
  }

  test('where memory is short from the beginning', async () => {
    two = cluster.process('two', { memoryIsShort: () => true });
    await one.engine.own(PARTITION);
    await one.write(PARTITION, 'a', 'b');
    await two.engine.prepare(PARTITION);
    expect(two.troubles).toEqual(['memory is short: a partition is not prepared but loaded when it is taken over']);
    await expectTakenOver();
  });

  test('where memory gets short later', async () => {
    let short = false;
    two = cluster.process('two', { memoryIsShort: () => short });
    await one.engine.own(PARTITION);
    await two.engine.prepare(PARTITION);
    short = true;
    await one.write(PARTITION, 'a', 'b');
    await cluster.clock.elapse(LOOK_MS);
    expect(two.troubles).toEqual(['memory is short: a prepared partition is dropped']);
    await expectTakenOver();
  });

  test.each(['before it is taken over', 'when it is taken over'])('where the log was repaired, found %s', async (when) => {
    await one.engine.own(PARTITION);
    for (const line of ['a', 'b', 'c']) await one.write(PARTITION, line);
    await two.engine.prepare(PARTITION);
    await one.log.dropFrom(PARTITION, 3);
    const other = cluster.process('other');
    await other.engine.own(PARTITION);
    for (const line of ['x', 'y', 'z']) await other.write(PARTITION, line);
    if (when.startsWith('before')) await cluster.clock.elapse(LOOK_MS);
    await expectTakenOver();
    expect(two.troubles).toHaveLength(1);
  });

  test('where its owner has merged and removed what the snapshot named', async () => {
    one = cluster.process('one', { limits: { snapshotBytes: 1 } });
    await one.engine.own(PARTITION);
    await writeUntil(() => stored('/run-').length > 0 && stored('/manifest-').length > 0);
    await two.engine.prepare(PARTITION);
    const [run] = stored('/run-');
    await writeUntil(() => !cluster.blocks.has(run as string));
    await one.engine.disown(PARTITION, { snapshot: false });
    await expectTakenOver();
    expect(two.troubles).toEqual(['a prepared partition is not what its log and its snapshot are; it is loaded again']);
  });

  test('where the snapshot is replaced while it is read: the newer one is read', async () => {
    one = cluster.process('one', { limits: { snapshotBytes: 1 } });
    await one.engine.own(PARTITION);
    await writeUntil(() => stored('/manifest-').length > 0);
    const [manifest] = stored('/manifest-') as [string];
    const stale = cluster.blocks.get(manifest) as Uint8Array;
    const blocks = stored('/state-');
    await writeUntil(() => blocks.every((name) => !cluster.blocks.has(name)));
    const fresh = cluster.blocks.get(manifest) as Uint8Array;
    cluster.blocks.set(manifest, stale);
    const reads = new HeldReads(two.log);
    // The read that looks whether the log has the snapshot's commit.
    void reads.next().then(() => cluster.blocks.set(manifest, fresh));
    await two.engine.prepare(PARTITION);
    expect(two.troubles).toEqual(['a snapshot cannot be used; another one or the log is read']);
    await one.engine.disown(PARTITION, { snapshot: false });
    await expectTakenOver();
  });
});

describe('an owner that lets go', () => {
  test('answers what it took and refuses what comes; then nothing of it comes to the log', async () => {
    await one.engine.own(PARTITION);
    const partition = one.owned(PARTITION);
    const release = one.log.faults.holdAppends();
    const taken = one.submit(PARTITION, 'a');
    await one.log.faults.whenHeld(1);
    const disowned = one.engine.disown(PARTITION, { snapshot: false });
    expect(one.engine.partition(PARTITION)).toBeUndefined();
    expect(await submitTo(partition, 'late')).toBe('NOT_OWNER');
    release();
    await disowned;
    expect(taken.answered).toEqual({ numbers: [1], sequence: 2 });
    await two.engine.own(PARTITION);
    expect(cluster.storage.commitsOf(PARTITION)).toHaveLength(3);
  });

  test('waits a bounded time for an append that does not come back; the next owner decides what was in it', async () => {
    await one.engine.own(PARTITION);
    const release = one.log.faults.holdAppends();
    const taken = one.submit(PARTITION, 'a');
    await one.log.faults.whenHeld(1);
    const disowned = one.engine.disown(PARTITION, { snapshot: true });
    await cluster.clock.elapse(1_000);
    await disowned;
    expect(taken.answered).toBe('NOT_OWNER');
    await two.engine.own(PARTITION);
    release();
    await rounds();
    expect(two.lines(PARTITION)).toEqual([]);
    expect(await two.write(PARTITION, 'a')).toMatchObject({ numbers: [1] });
  });

  test('leaves a snapshot when it stops and no other process has taken the partition', async () => {
    await one.engine.own(PARTITION);
    await one.write(PARTITION, 'a', 'b');
    await one.engine.disown(PARTITION, { snapshot: true });
    expect(cluster.blocks.size).toBe(0);
    await one.engine.stop({ snapshot: true });
    expect(stored('/manifest-')).toHaveLength(1);
    await two.engine.own(PARTITION);
    expect(two.lines(PARTITION)).toEqual(['a', 'b']);
    await expectKnown(two, ['a', 'b']);
  });

  test('leaves none when another process has the partition already', async () => {
    await one.engine.own(PARTITION);
    await one.write(PARTITION, 'a', 'b');
    await two.engine.prepare(PARTITION);
    await one.engine.disown(PARTITION, { snapshot: true });
    await two.engine.own(PARTITION);
    await one.engine.stop({ snapshot: true });
    expect(stored('/manifest-')).toEqual([]);
    expect(await two.write(PARTITION, 'c')).toMatchObject({ numbers: [3] });
  });

  test('ends a snapshot that it was writing', async () => {
    one = cluster.process('one', { limits: { snapshotBytes: 1 } });
    await one.engine.own(PARTITION);
    for (let line = 0; line < 100; line += 1) void one.submit(PARTITION, `line ${line}`);
    await one.write(PARTITION, 'last');
    await one.engine.disown(PARTITION, { snapshot: false });
    await rounds(50);
    expect(stored('/manifest-')).toEqual([]);
  });
});

describe('a partition that is not wanted any more while it is loaded', () => {
  async function loading(): Promise<{ readonly owned: Promise<unknown>; readonly goOn: () => void }> {
    await one.engine.own(PARTITION);
    await one.write(PARTITION, 'a');
    const reads = new HeldReads(two.log);
    const goOn = reads.hold();
    const owned = two.engine.own(PARTITION).catch((error: unknown) => error);
    await reads.next();
    return { owned, goOn };
  }

  test('is not owned: no ownership commit is appended', async () => {
    const { owned, goOn } = await loading();
    await two.engine.disown(PARTITION, { snapshot: false });
    goOn();
    expect(await owned).toBeInstanceOf(AbandonedError);
    expect(cluster.storage.commitsOf(PARTITION)).toHaveLength(2);
    expect(await one.write(PARTITION, 'b')).toMatchObject({ numbers: [2] });
    expect(two.engine.owned).toEqual([]);
  });

  test('can be owned again at once', async () => {
    const { goOn } = await loading();
    await two.engine.disown(PARTITION, { snapshot: false });
    const again = two.engine.own(PARTITION);
    goOn();
    await again;
    expect(two.lines(PARTITION)).toEqual(['a']);
    expect(await two.write(PARTITION, 'b')).toMatchObject({ numbers: [2] });
  });

  test('waits with its release for an ownership commit that is on its way', async () => {
    const release = two.log.faults.holdAppends();
    const owned = two.engine.own(PARTITION).catch((error: unknown) => error);
    await two.log.faults.whenHeld(1);
    let disowned = false;
    const disowning = two.engine.disown(PARTITION, { snapshot: false }).then(() => {
      disowned = true;
    });
    await rounds();
    expect(disowned).toBe(false);
    release();
    await disowning;
    expect(await owned).toBeInstanceOf(AbandonedError);
    await one.engine.own(PARTITION);
    expect(await one.write(PARTITION, 'a')).toMatchObject({ numbers: [1] });
  });
});

test('an owner that still appends is fenced: the ownership commit is tried again behind its commits', async () => {
  await one.engine.own(PARTITION);
  await two.engine.prepare(PARTITION);
  const release = two.log.faults.holdAppends();
  const owned = two.engine.own(PARTITION);
  await two.log.faults.whenHeld(1);
  // The owner's commit gets the sequence that the ownership commit was meant for.
  await one.write(PARTITION, 'a');
  release();
  await owned;
  expect(two.lines(PARTITION)).toEqual(['a']);
  expect(await one.write(PARTITION, 'b')).toBe('NOT_OWNER');
  expect(await two.write(PARTITION, 'c')).toMatchObject({ numbers: [2] });
});

test('at most four partitions are loaded at a time', async () => {
  const world = new Cluster();
  world.storage.partitions.push(...Array.from({ length: 8 }, () => []));
  const process = world.process('one');
  const reads = new HeldReads(process.log);
  const goOn = reads.hold();
  const owned = Array.from({ length: 10 }, (_, partition) => process.engine.own(partition));
  await rounds(20);
  expect(reads.reads).toBe(4);
  goOn();
  await Promise.all(owned);
  expect(process.engine.owned).toHaveLength(10);
  await world.stop();
});

function submitTo(partition: Partition, line: string): Promise<unknown> {
  return new Promise((resolve) =>
    partition.submit({ commandCount: 1, sizeBytes: line.length, recordBytes: line.length, decide: () => undefined, settle: resolve, fail: resolve }),
  );
}

function stored(kind: string): string[] {
  return [...cluster.blocks.keys()].filter((name) => name.includes(kind));
}

/** Writes until the owner's snapshots, which threads help with, have brought something about. */
async function writeUntil(done: () => boolean): Promise<void> {
  for (let line = 0; !done(); line += 1) {
    await one.write(PARTITION, `line ${line} of ${cluster.storage.commitsOf(PARTITION).length}`);
    await cluster.clock.elapse(LOOK_MS);
  }
}

function damage(sequence: number): void {
  const commits = cluster.storage.commitsOf(PARTITION);
  const commit = commits[sequence - 1];
  if (commit === undefined) throw new Error(`there is no commit ${sequence}`);
  const bytes = Buffer.from(commit.bytes);
  bytes[bytes.length - 40] = (bytes[bytes.length - 40] as number) ^ 1;
  commits[sequence - 1] = { ...commit, bytes };
}

/** Every line is found by the index. */
async function expectKnown(process: EngineUnderTest, lines: readonly string[]): Promise<void> {
  const { index, seeds } = process.owned(PARTITION);
  for (const line of lines) {
    const { first, second } = hashOf({ seeds }, line);
    const found = index.recent(first, second) !== 0 || (index.mayBeOld(first, second) && (await index.old(first, second)).length > 0);
    expect(found).toBe(true);
  }
}
