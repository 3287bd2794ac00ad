/** What a partition promises, when everything goes well and when it does not. */
import { AppendFailedError, type CommitToAppend, type EventLog, type SnapshotStore } from '@sluice/ports';
import { type ManualClock, MemoryEventLog, MemoryLogStorage, MemorySnapshotStore } from '@sluice/memory';
import { CommitWriter, CorruptCommitError } from '@sluice/protocol';
import { hashSeeds } from '../request-index/request-hash';
import { hashOf, Lines } from '../test/journal';
import { INCARNATION, PartitionUnderTest, RecordingBus, rounds, sorter } from '../test/partition-under-test';
import { TurnLostError } from './commits';
import { decodeManifest } from './manifest';
import { QueueFullError, SubmissionTooLargeError } from './submission-queue';
import type { Turn } from './turn';

afterAll(() => sorter.close());

describe('answers', () => {
  test('leave when their commit is durable, not before', async () => {
    const one = await PartitionUnderTest.started();
    const release = one.log.faults.holdAppends();
    const submission = one.submit('a', 'b');
    await one.log.faults.whenHeld(1);
    await rounds();
    expect(submission.answered).toBeUndefined();
    expect(one.lines).toEqual(['a', 'b']);
    release();
    expect(await submission.answer).toEqual({ numbers: [1, 2], sequence: 2 });
    expect(one.logged()).toEqual(['a', 'b']);
  });

  test('that depend on a commit on its way wait for it, though they write nothing', async () => {
    const one = await PartitionUnderTest.started({ limits: { decideAheadCommands: 1 } });
    const release = one.log.faults.holdAppends();
    const writes = one.submit('a');
    await one.log.faults.whenHeld(1);
    const asks = one.submit('?');
    await rounds();
    expect(asks.answered).toBeUndefined();
    release();
    expect(await writes.answer).toEqual({ numbers: [1], sequence: 2 });
    expect(await asks.answer).toEqual({ numbers: [1], sequence: 2 });
  });

  test('name a commit that is there: of a turn that wrote nothing, the newest one', async () => {
    const one = await PartitionUnderTest.started();
    expect(await one.write('?')).toEqual({ numbers: [0], sequence: 1 });
    await one.write('a');
    expect(await one.write('?')).toEqual({ numbers: [1], sequence: 2 });
    expect(one.commits().length).toBe(2);
  });

  test('come in the order of arrival, prepared or not', async () => {
    const one = await PartitionUnderTest.started();
    let ready!: () => void;
    const first = new Lines(
      one.partition,
      ['slow'],
      new Promise((resolve) => {
        ready = resolve;
      }),
    );
    one.partition.submit(first);
    const second = one.submit('fast');
    await rounds();
    expect(second.answered).toBeUndefined();
    ready();
    expect(await second.answer).toEqual({ numbers: [2], sequence: 2 });
    expect(one.logged()).toEqual(['slow', 'fast']);
  });
});

describe('turns', () => {
  test('take what waits; one append is outstanding, one turn is decided ahead, no more', async () => {
    const one = await PartitionUnderTest.started({ limits: { decideAheadCommands: 1 } });
    const release = one.log.faults.holdAppends();
    const first = [one.submit('a'), one.submit('b')];
    await one.log.faults.whenHeld(1);
    const second = one.submit('c');
    await rounds();
    const third = one.submit('d');
    await rounds();
    expect(one.lines).toEqual(['a', 'b', 'c']);
    expect(one.partition.waitingCommands).toBe(1);
    release();
    await Promise.all([...first, second, third].map(({ answer }) => answer));
    expect(one.commits().map(({ events }) => events.length)).toEqual([1, 2, 1, 1]);
  });

  test('are not tried again and again while all that waits is being prepared', async () => {
    const one = await PartitionUnderTest.started();
    let ready!: () => void;
    const first = new Lines(one.partition, ['slow'], new Promise((resolve) => (ready = resolve)));
    one.partition.submit(first);
    const second = one.submit('behind it');
    await rounds();
    const scheduled = jest.spyOn(globalThis, 'setImmediate');
    await rounds(20);
    expect(scheduled).toHaveBeenCalledTimes(20);
    scheduled.mockRestore();
    ready();
    await Promise.all([first.answer, second.answer]);
    expect(one.logged()).toEqual(['slow', 'behind it']);
  });

  test('few commands wait for the commit that is on its way', async () => {
    const one = await PartitionUnderTest.started({ limits: { decideAheadCommands: 2 } });
    const release = one.log.faults.holdAppends();
    void one.submit('a');
    await one.log.faults.whenHeld(1);
    const second = one.submit('b');
    await rounds();
    expect(one.lines).toEqual(['a']);
    release();
    await second.answer;
    expect(one.logged()).toEqual(['a', 'b']);
  });

  test('are bounded in commands and bytes, but a submission is never cut: what fills a contended turn may be larger than what is left of it', async () => {
    const one = await PartitionUnderTest.started({ limits: { turnCommands: 3, turnBytes: 10 } });
    await Promise.all([
      one.write('a', 'b'),
      one.write('c', 'd'),
      one.write('e'),
      one.write('f', 'g', 'h', 'i'),
      one.write('j'),
      one.write('a long line of text'),
      one.write('k'),
    ]);
    expect(one.commits().map(({ events }) => events.length)).toEqual([1, 4, 5, 2, 1]);
  });

  test('of a contended queue are as short as the log is fast, however late the event loop hears of it', async () => {
    const storage = new MemoryLogStorage({ partitions: 2, incarnation: INCARNATION });
    const log = new HeardLateLog(new MemoryEventLog(storage));
    const one = new PartitionUnderTest(storage, undefined, { log, limits: { turnCommands: 100 } });
    log.clock = one.clock;
    await one.partition.start();
    const lines = Array.from({ length: 10 }, (_, at) => `line ${at}`);
    const submissions = Array.from({ length: 40 }, () => new SlowLines(one.clock, one.partition, lines));
    for (const submission of submissions) one.partition.submit(submission);
    await Promise.all(submissions.map(({ answer }) => answer));
    // Nothing is known before the first append. Then 4 ms are 40 lines, of which an eighth is decided: less than one submission, so that each turn has one, or two where one goes by age, until half a turn waits.
    const sizes = one.commits().map(({ events }) => events.length);
    expect(sizes.slice(1, 4)).toEqual([100, 10, 10]);
    expect(sizes.slice(1).reduce((sum, size) => sum + size, 0)).toBe(400);
    expect(Math.max(...sizes.slice(2, -1))).toBe(20);
    expect(sizes.at(-1)).toBeLessThanOrEqual(50);
  });

  test('have a time that never goes back, and the trace contexts of what they carry', async () => {
    const one = await PartitionUnderTest.started();
    await one.write('a');
    const before = one.clock.nowUs();
    one.clock.set(before - 60_000_000);
    const submissions = Array.from({ length: 40 }, (_, at) => new Lines(one.partition, [`traced ${at}`], undefined, `00-trace-${at}`));
    for (const submission of submissions) one.partition.submit(submission);
    await Promise.all(submissions.map(({ answer }) => answer));
    const [, , traced] = one.commits();
    expect(traced?.committedAtUs).toBe(before);
    expect(traced?.traceparents).toEqual(Array.from({ length: 32 }, (_, at) => `00-trace-${at}`));
  });

  test('follow the time of day when it jumps ahead, and stand still while it is behind, under another owner, too', async () => {
    const one = await PartitionUnderTest.started();
    const startUs = one.clock.nowUs();
    const times = async (world: PartitionUnderTest, nowUs: number): Promise<number | undefined> => {
      world.clock.set(nowUs);
      await world.write(`at ${nowUs}`);
      return world.commits().at(-1)?.committedAtUs;
    };
    const hourUs = 3_600_000_000;
    expect(await times(one, startUs + hourUs)).toBe(startUs + hourUs);
    expect(await times(one, startUs)).toBe(startUs + hourUs);
    const two = new PartitionUnderTest(one.storage, one.blocks, { owner: 'two' });
    two.clock.set(startUs - hourUs);
    await two.partition.start();
    expect(await times(two, startUs - hourUs)).toBe(startUs + hourUs);
    expect(await times(two, startUs + 2 * hourUs)).toBe(startUs + 2 * hourUs);
  });

  test('say how many commands and which events they hold, for people who look', async () => {
    const one = await PartitionUnderTest.started();
    await one.write('a', 'b', '?');
    expect(one.storage.commitsOf(1).map(({ commandCount, eventTypes }) => [commandCount, eventTypes])).toEqual([
      [0, ['log.OwnershipTaken']],
      [3, ['journal.LineWritten']],
    ]);
  });
});

describe('the queue', () => {
  test('refuses at once what does not fit, and takes nothing of it', async () => {
    const one = await PartitionUnderTest.started({ limits: { queueCommands: 3, queueBytes: 100 } });
    const taken = one.submit('a', 'b');
    expect(() => one.submit('c', 'd')).toThrow(QueueFullError);
    expect(() => one.submit('x'.repeat(99))).toThrow(QueueFullError);
    const fits = one.submit('e');
    await Promise.all([taken.answer, fits.answer]);
    expect(one.logged()).toEqual(['a', 'b', 'e']);
    expect(await one.write('f')).toEqual({ numbers: [4], sequence: 3 });
  });
});

describe('a submission that can never be taken', () => {
  test.each`
    what                             | limits                  | lines
    ${'more commands than fit'}      | ${{ queueCommands: 3 }} | ${['a', 'b', 'c', 'd']}
    ${'more bytes than fit'}         | ${{ queueBytes: 100 }}  | ${['x'.repeat(101)]}
    ${'more than a commit may have'} | ${{}}                   | ${['x'.repeat(13 << 20)]}
  `('is told apart from a full queue: $what', async ({ limits, lines }: { limits: object; lines: string[] }) => {
    const one = await PartitionUnderTest.started({ limits });
    expect(() => one.submit(...lines)).toThrow(SubmissionTooLargeError);
    expect(await one.write('a')).toEqual({ numbers: [1], sequence: 2 });
  });
});

describe('an append that fails', () => {
  test('takes its turn, the one decided after it and what waits with it; then all goes on from the log', async () => {
    const one = await PartitionUnderTest.started({ limits: { decideAheadCommands: 1 } });
    await one.write('kept');
    one.log.faults.failNextAppend();
    const release = one.log.faults.holdAppends();
    const first = one.submit('a');
    await one.log.faults.whenHeld(1);
    const second = one.submit('b');
    await rounds();
    const third = one.submit('c');
    await rounds();
    release();
    expect(await Promise.all([first, second, third].map(({ answer }) => answer))).toEqual([
      'PARTITION_UNAVAILABLE',
      'PARTITION_UNAVAILABLE',
      'PARTITION_UNAVAILABLE',
    ]);
    await one.untilLoaded();
    expect(one.lines).toEqual(['kept']);
    expect(await one.write('d')).toEqual({ numbers: [2], sequence: 4 });
    expect(one.logged()).toEqual(['kept', 'd']);
    expect(one.commits().map(({ epoch }) => epoch)).toEqual([1, 1, 2, 2]);
    expect(one.troubles).toEqual(['an append failed; the log is read again']);
  });

  test('after the commit was stored leaves it there once', async () => {
    const one = await PartitionUnderTest.started();
    one.log.faults.failNextAppendAfterStoring();
    expect(await one.write('a')).toBe('PARTITION_UNAVAILABLE');
    await one.untilLoaded();
    expect(one.lines).toEqual(['a']);
    expect(await one.write('b')).toEqual({ numbers: [2], sequence: 4 });
    expect(one.logged()).toEqual(['a', 'b']);
  });

  test('fails what comes while the log is read again', async () => {
    const one = await PartitionUnderTest.started();
    one.log.faults.failNextAppend();
    one.log.faults.failNextAppend();
    expect(await one.write('a')).toBe('PARTITION_UNAVAILABLE');
    expect(one.partition.state).toBe('loading');
    expect(await one.write('b')).toBe('PARTITION_UNAVAILABLE');
    await one.untilLoaded();
    expect(await one.write('c')).toEqual({ numbers: [1], sequence: 3 });
    expect(one.troubles).toEqual(['an append failed; the log is read again', 'the partition could not be loaded']);
  });

  test('and comes late is found: the sequence is ours, and the partition goes on', async () => {
    const storage = new PartitionUnderTest().storage;
    const log = new LateLog(new MemoryEventLog(storage));
    const one = new PartitionUnderTest(storage, undefined, { log });
    await one.partition.start();
    log.nextIsLate = true;
    expect(await one.write('late')).toBe('PARTITION_UNAVAILABLE');
    await one.untilLoaded();
    expect(one.partition.state).toBe('serving');
    expect(one.lines).toEqual(['late']);
    expect(await one.write('b')).toEqual({ numbers: [2], sequence: 4 });
    expect(one.logged()).toEqual(['late', 'b']);
    expect(one.lost).toEqual([]);
  });

  test('rejects whoever waits for one of its commits, and whoever asks before the log was read again', async () => {
    const one = await PartitionUnderTest.started();
    await one.write('a');
    one.log.faults.failNextAppend();
    one.log.faults.failNextAppend();
    const release = one.log.faults.holdAppends();
    const failing = one.submit('b');
    await one.log.faults.whenHeld(1);
    const waiting = one.partition.recall(3);
    release();
    await expect(waiting).rejects.toThrow(TurnLostError);
    expect(await failing.answer).toBe('PARTITION_UNAVAILABLE');
    await expect(one.partition.recall(2)).rejects.toThrow(TurnLostError);
    await one.untilLoaded();
    expect((await one.partition.recall(2)).sequence).toBe(2);
  });
});

/** Its late append fails for the caller, and is stored when the next one comes. */
class LateLog implements EventLog {
  nextIsLate = false;
  private late: CommitToAppend | undefined;

  constructor(private readonly log: MemoryEventLog) {}

  get identity() {
    return this.log.identity;
  }

  get maximumCommitBytes() {
    return this.log.maximumCommitBytes;
  }

  async append(commit: CommitToAppend): ReturnType<EventLog['append']> {
    if (this.nextIsLate) {
      this.nextIsLate = false;
      this.late = commit;
      throw new AppendFailedError('no answer in time');
    }
    const { late } = this;
    this.late = undefined;
    if (late !== undefined) await this.log.append(late);
    return this.log.append(commit);
  }

  read: EventLog['read'] = (...asked) => this.log.read(...asked);
  head: EventLog['head'] = (partition) => this.log.head(partition);
  isTaken: EventLog['isTaken'] = (...asked) => this.log.isTaken(...asked);
  headSequences: EventLog['headSequences'] = () => this.log.headSequences();
  dropFrom: EventLog['dropFrom'] = (...asked) => this.log.dropFrom(...asked);
  close: EventLog['close'] = () => this.log.close();
}

/** Its appends take 4 ms, and the event loop hears of them when it has done something else for 50 ms. */
class HeardLateLog extends LateLog {
  clock: ManualClock | undefined;

  override async append(commit: CommitToAppend): ReturnType<EventLog['append']> {
    await super.append(commit);
    this.clock?.advance(50);
    return { durationUs: 4_000 };
  }
}

/** Each line takes 0.1 ms to decide. */
class SlowLines extends Lines {
  constructor(
    private readonly clock: ManualClock,
    ...given: ConstructorParameters<typeof Lines>
  ) {
    super(...given);
  }

  override decide(turn: Turn): void {
    this.clock.advance(this.commandCount / 10);
    super.decide(turn);
  }
}

describe('owners', () => {
  test('the ownership commit of the new one fences the old one', async () => {
    const one = await PartitionUnderTest.started();
    await one.write('a');
    const two = await one.next({ owner: 'two' });
    const waits = one.submit('b');
    const waitsToo = one.submit('c');
    expect(await waits.answer).toBe('NOT_OWNER');
    expect(await waitsToo.answer).toBe('NOT_OWNER');
    expect(one.partition.state).toBe('lost');
    expect(one.lost).toEqual([1]);
    expect(await one.write('d')).toBe('NOT_OWNER');
    expect(await two.write('e')).toEqual({ numbers: [2], sequence: 4 });
    expect(two.logged()).toEqual(['a', 'e']);
    expect(two.owners()).toEqual(['one', 'two']);
    await expect(one.partition.recall(2)).rejects.toThrow(TurnLostError);
  });

  test('a rival that takes the very sequence is found by the append', async () => {
    const one = await PartitionUnderTest.started();
    one.log.faults.letRivalTakeNextSequence(ownershipCommit(one, 2, 'two'));
    expect(await one.write('a')).toBe('NOT_OWNER');
    expect(one.lost).toEqual([1]);
    expect(one.owners()).toEqual(['one', 'two']);
  });

  test('an old owner whose append fails otherwise steps down when it reads of the new one', async () => {
    const one = await PartitionUnderTest.started();
    await one.write('a');
    const two = await one.next({ owner: 'two' });
    one.log.faults.failNextAppend();
    expect(await one.write('b')).toBe('PARTITION_UNAVAILABLE');
    await one.untilLoaded();
    expect(one.partition.state).toBe('lost');
    expect(one.lost).toEqual([1]);
    expect(two.owners()).toEqual(['one', 'two']);
    expect(await two.write('c')).toEqual({ numbers: [2], sequence: 4 });
  });

  test('and so does one that finds the other in a snapshot only', async () => {
    const one = await PartitionUnderTest.started();
    const two = await one.next({ owner: 'two' });
    await two.write('b');
    await two.partition.stop({ snapshot: true });
    one.log.faults.failNextAppend();
    expect(await one.write('c')).toBe('PARTITION_UNAVAILABLE');
    await one.untilLoaded();
    expect(one.partition.state).toBe('lost');
    expect(two.owners()).toEqual(['one', 'two']);
  });

  test('a partition that begins takes it from whoever had it', async () => {
    const one = await PartitionUnderTest.started({ owner: 'one' });
    const two = await one.next({ owner: 'two' });
    const again = await two.next({ owner: 'one' });
    expect(again.owners()).toEqual(['one', 'two', 'one']);
    expect(again.partition.ownerEpoch).toBe(3);
    expect(await two.write('x')).toBe('NOT_OWNER');
  });

  test('a start whose ownership commit does not stand fails', async () => {
    const one = new PartitionUnderTest();
    one.log.faults.failNextAppend();
    await expect(one.partition.start()).rejects.toThrow(AppendFailedError);
  });
});

function ownershipCommit(one: PartitionUnderTest, sequence: number, owner: string): Uint8Array {
  const previous = one.commits()[sequence - 2];
  const writer = new CommitWriter();
  writer.begin(
    {
      incarnation: Buffer.from(INCARNATION, 'hex'),
      partition: 1,
      sequence,
      epoch: 2,
      committedAtUs: one.clock.nowUs(),
      previousChecksum: previous?.checksum ?? Buffer.alloc(32),
    },
    [],
  );
  const mark = writer.openEvent('log.OwnershipTaken', 1);
  writer.writer.numberField(0x08, 2);
  writer.writer.stringField(0x12, owner);
  writer.closeEvent(mark);
  return writer.finish();
}

describe('a decision that throws', () => {
  test('takes its turn with it, and the state is that of the log again', async () => {
    const one = await PartitionUnderTest.started();
    await one.write('kept');
    const [good, bad, later] = [one.submit('a'), one.submit('b', '!'), one.submit('c')];
    expect(await Promise.all([good, bad, later].map(({ answer }) => answer))).toEqual([
      'PARTITION_UNAVAILABLE',
      'PARTITION_UNAVAILABLE',
      'PARTITION_UNAVAILABLE',
    ]);
    await one.untilLoaded();
    expect(one.lines).toEqual(['kept']);
    expect(await one.write('d')).toEqual({ numbers: [2], sequence: 4 });
    expect(one.logged()).toEqual(['kept', 'd']);
  });

  test('while a commit is on its way does not unmake it', async () => {
    const one = await PartitionUnderTest.started({ limits: { decideAheadCommands: 1 } });
    const release = one.log.faults.holdAppends();
    const first = one.submit('a');
    await one.log.faults.whenHeld(1);
    const bad = one.submit('!');
    expect(await bad.answer).toBe('PARTITION_UNAVAILABLE');
    expect(await first.answer).toBe('PARTITION_UNAVAILABLE');
    release();
    await one.untilLoaded();
    expect(one.lines).toEqual(one.logged());
    expect(one.logged()).toEqual(['a']);
    expect(await one.write('c')).toMatchObject({ numbers: [2] });
  });
});

describe('stopping', () => {
  test('finishes what was taken and takes no more', async () => {
    const one = await PartitionUnderTest.started({ limits: { turnCommands: 1 } });
    const taken = [one.submit('a'), one.submit('b'), one.submit('?'), one.submit('c'), one.submit('?')];
    const stopped = one.partition.stop({ snapshot: false });
    expect(await one.write('late')).toBe('SHUTTING_DOWN');
    await stopped;
    expect(taken.map(({ answered }) => answered)).toMatchObject([1, 2, 2, 3, 3].map((number) => ({ numbers: [number] })));
    expect(one.logged()).toEqual(['a', 'b', 'c']);
    expect(await one.write('later')).toBe('SHUTTING_DOWN');
  });

  test('does not wait for ever for questions alone', async () => {
    const one = await PartitionUnderTest.started();
    const asked = one.submit('?');
    await one.partition.stop({ snapshot: true });
    expect(asked.answered).toEqual({ numbers: [0], sequence: 1 });
  });

  test('while the log is read again ends that: nothing is appended any more, and no snapshot is made of half a state', async () => {
    const one = await PartitionUnderTest.started();
    await one.write('a');
    one.log.faults.failNextAppend();
    one.log.faults.failNextAppend();
    expect(await one.write('b')).toBe('PARTITION_UNAVAILABLE');
    await rounds();
    await one.partition.stop({ snapshot: true });
    await one.clock.elapse(60_000);
    expect(one.owners()).toEqual(['one']);
    expect(one.blocks.size).toBe(0);
  });

  test('when the last append fails makes no snapshot of what was lost', async () => {
    const one = await PartitionUnderTest.started();
    await one.write('a');
    one.log.faults.failNextAppend();
    const failing = one.submit('b');
    await one.partition.stop({ snapshot: true });
    expect(await failing.answer).toBe('PARTITION_UNAVAILABLE');
    const two = await one.next();
    expect(two.lines).toEqual(['a']);
  });
});

describe('starting', () => {
  test('refuses a log whose commit was changed, and names it', async () => {
    const one = await PartitionUnderTest.started();
    for (const line of ['a', 'b', 'c']) await one.write(line);
    const commit = one.storage.commitsOf(1)[2];
    if (commit === undefined) throw new Error('there is no third commit');
    const bytes = Buffer.from(commit.bytes);
    bytes[bytes.length - 40] = (bytes[bytes.length - 40] as number) ^ 1;
    one.storage.commitsOf(1)[2] = { ...commit, bytes };
    await expect(one.next()).rejects.toThrow(CorruptCommitError);
    await expect(one.next()).rejects.toThrow(/partition 1, sequence 3/);
  });

  test('refuses an event that this version does not know', async () => {
    const one = await PartitionUnderTest.started();
    const writer = new CommitWriter();
    const [first] = one.commits();
    writer.begin(
      { incarnation: Buffer.from(INCARNATION, 'hex'), partition: 1, sequence: 2, epoch: 1, committedAtUs: 1, previousChecksum: first?.checksum as Uint8Array },
      [],
    );
    writer.event('journal.LineWritten', 2, Buffer.from('x'));
    one.storage.commitsOf(1).push({ partition: 1, sequence: 2, bytes: writer.finish(), commandCount: 1, committedAtUs: 1, eventTypes: [] });
    await expect(one.next()).rejects.toThrow('partition 1, sequence 2: journal.LineWritten: version 2 is not known');
  });
});

test('a log that cannot be read when it is read again is told once, tried again slowly, and served when it was repaired', async () => {
  const told: (string | undefined)[] = [];
  const one = await PartitionUnderTest.started({ observer: { unreadable: (_partition, error) => void told.push(error?.message) } });
  for (const line of ['a', 'b', 'c']) await one.write(line);
  const commits = one.storage.commitsOf(1);
  const whole = commits[2] as CommitToAppend;
  const bytes = Buffer.from(whole.bytes);
  bytes[bytes.length - 40] = (bytes[bytes.length - 40] as number) ^ 1;
  commits[2] = { ...whole, bytes };
  one.log.faults.failNextAppend();
  expect(await one.write('d')).toBe('PARTITION_UNAVAILABLE');
  await one.clock.elapse(100_000);
  expect(told).toEqual(['partition 1, sequence 3: the checksum does not match: the commit was changed']);
  expect(one.troubles).toEqual(['an append failed; the log is read again']);
  commits[2] = whole;
  await one.clock.elapse(30_000);
  await one.untilLoaded();
  expect(told).toHaveLength(2);
  expect(told[1]).toBeUndefined();
  expect(await one.write('e')).toMatchObject({ numbers: [4] });
});

describe('snapshots', () => {
  const often = { snapshotBytes: 1 };

  /** Lines of a fresh start from the snapshot, and of one from the log alone. */
  async function restarts(one: PartitionUnderTest): Promise<void> {
    const restored = one.copy();
    await restored.partition.start();
    const replayed = one.copy({ snapshots: new MemorySnapshotStore() });
    await replayed.partition.start();
    expect(restored.lines).toEqual(one.logged());
    expect(replayed.lines).toEqual(one.logged());
    expect(restored.troubles).toEqual([]);
    await expectKnown(restored);
  }

  test('give the state of a replay from the first commit, taken while turns go on', async () => {
    let one = await PartitionUnderTest.started({ limits: often });
    for (let round = 0; round < 6; round += 1) {
      for (let at = 0; at < 30; at += 1) {
        void one.submit(`${round}/${at}`);
        await rounds(1);
      }
      await one.write(`end of ${round}`);
      // A snapshot under way replaces the one before it, and a copy that reads that one would find blocks missing.
      await one.partition.release();
      await restarts(one);
      one = await one.next({ limits: often });
    }
    expect(one.troubles).toEqual([]);
    expect(one.lines).toEqual(one.logged());
  });

  test('are taken after so many commits, however small these are, but not more often than every 10 s', async () => {
    const store = new MemorySnapshotStore();
    const put = jest.spyOn(store, 'put');
    const taken = (): number => put.mock.calls.flatMap(([blocks]) => blocks.filter(({ name }) => name.includes('/manifest-'))).length;
    const untilTaken = async (count: number): Promise<void> => {
      while (taken() < count) await rounds();
    };
    const one = await PartitionUnderTest.started({ snapshots: store, limits: { snapshotCommits: 5 } });
    const commit = async (count: number): Promise<void> => {
      for (let at = 0; at < count; at += 1) await one.write('a line');
    };
    await commit(5);
    await untilTaken(1);
    await one.clock.elapse(9_999);
    await commit(10);
    await one.clock.elapse(1);
    await commit(1);
    await untilTaken(2);
    // The newest of all: none was begun at one of the ten.
    const [manifest] = await store.list('partition/1/manifest-');
    expect(decodeManifest((await store.get(manifest as string)) as Uint8Array)?.sequence).toBe(17);
    expect(taken()).toBe(2);
  });

  test('are left at an orderly stop, so that a start reads nothing but what came after', async () => {
    const one = await PartitionUnderTest.started();
    for (let at = 0; at < 20; at += 1) await one.write(`line ${at}`);
    await one.partition.stop({ snapshot: true });
    const reads: number[] = [];
    const log = new MemoryEventLog(one.storage);
    const read = log.read.bind(log);
    log.read = (partition, fromSequence, page) => {
      if (page.maxCommits > 1) reads.push(fromSequence);
      return read(partition, fromSequence, page);
    };
    const two = new PartitionUnderTest(one.storage, one.blocks, { log });
    await two.partition.start();
    expect(two.lines).toEqual(one.logged());
    expect(reads).toEqual([22]);
  });

  test('that do not fit the log are not used', async () => {
    const one = await PartitionUnderTest.started();
    for (const line of ['a', 'b', 'c']) await one.write(line);
    await one.partition.stop({ snapshot: true });
    one.storage.commitsOf(1).splice(2);
    await restarts(one);
    const two = await one.next();
    await two.write('other b');
    await two.write('other c');
    await restarts(two);
  });

  test('bound the ids in memory while the log is replayed, too', async () => {
    const one = await PartitionUnderTest.started();
    for (let at = 0; at < 300; at += 1) await one.write(`line ${at}`);
    const two = await one.next({ limits: { segmentIds: 20 } });
    expect(two.partition.index.activeCount).toBeLessThan(20);
    expect(two.lines).toEqual(one.logged());
    await expectKnown(two);
    await two.partition.stop({ snapshot: true });
    const three = await two.next();
    await expectKnown(three);
    expect(three.troubles).toEqual([]);
  });

  test('whose hashes were made under another key are not used: the log is read, and every id is found', async () => {
    const one = await PartitionUnderTest.started();
    for (let at = 0; at < 12; at += 1) await one.write(`line ${at}`);
    await one.partition.stop({ snapshot: true });
    const two = await one.next({ seeds: hashSeeds(Buffer.from('another secret'), Buffer.from(INCARNATION, 'hex')) });
    expect(two.lines).toEqual(one.logged());
    await expectKnown(two);
  });

  test.each(['state', 'manifest', 'run'])('that are damaged (%s) are replaced by the log', async (kind) => {
    const one = await PartitionUnderTest.started();
    for (let at = 0; at < 12; at += 1) await one.write(`line ${at}`);
    await one.partition.stop({ snapshot: true });
    const names = [...one.blocks.keys()].filter((name) => name.includes(kind));
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) {
      for (const damage of ['changed', 'gone']) {
        const blocks = new Map(one.blocks);
        const bytes = Buffer.from(blocks.get(name) as Uint8Array);
        bytes[0] = (bytes[0] as number) ^ 1;
        if (damage === 'gone') blocks.delete(name);
        else if (name.includes('/block-')) continue;
        else blocks.set(name, bytes);
        const two = new PartitionUnderTest(one.storage, blocks);
        await two.partition.start();
        expect(two.lines).toEqual(one.logged());
      }
    }
  });

  test('of two owners do not touch each other: one that was paused in the middle comes back and spoils nothing', async () => {
    const blocks = new Map<string, Uint8Array>();
    const store = new HeldSnapshots(blocks);
    const one = new PartitionUnderTest(undefined, blocks, { snapshots: store, limits: often });
    await one.partition.start();
    for (let at = 0; at < 12; at += 1) await one.write(`line ${at}`);
    for (let held = 0; held < 8; held += 1) {
      const resume = store.hold(held);
      await one.write(`held ${held}`);
      await rounds(3);
      const two = one.copy({ owner: 'two', snapshots: new MemorySnapshotStore(blocks), limits: often });
      await two.partition.start();
      await two.write(`of the other ${held}`);
      await two.partition.stop({ snapshot: true });
      resume();
      await rounds(20);
      await expectKnown(two);
      const after = new PartitionUnderTest(two.storage, blocks);
      await after.partition.start();
      expect(after.lines).toEqual(two.logged());
      expect(after.troubles).toEqual([]);
      await expectKnown(after);
    }
  });

  test('that fail are tried again, and lose nothing that one in force or memory needs', async () => {
    const blocks = new Map<string, Uint8Array>();
    const store = new FailingSnapshots(blocks);
    const start = new PartitionUnderTest(undefined, blocks, { snapshots: store, limits: often });
    await start.partition.start();
    for (let at = 0; at < 200; at += 1) {
      store.failAfter = at % 7;
      await start.write(`line ${at}`);
      await rounds(2);
      if (at % 20 !== 19) continue;
      await restarts(start);
      await expectKnown(start);
    }
    expect(start.troubles.length).toBeGreaterThan(20);
  });

  test('keep every request id findable, whatever was written, merged and forgotten', async () => {
    let one = await PartitionUnderTest.started({ limits: often });
    for (let round = 0; round < 40; round += 1) {
      await one.write(...Array.from({ length: 10 }, (_, at) => `id ${round}/${at}`));
      await one.clock.elapse(200);
      if (round % 10 === 9) {
        await one.partition.stop({ snapshot: true });
        one = await one.next({ limits: often });
      }
      await expectKnown(one);
    }
  });
});

/** Every line in the log is found by the index. */
async function expectKnown({ partition, lines }: PartitionUnderTest): Promise<void> {
  for (const line of lines) {
    const { first, second } = hashOf(partition, line);
    const recent = partition.index.recent(first, second);
    const found = recent !== 0 ? [recent] : partition.index.mayBeOld(first, second) ? await partition.index.old(first, second) : [];
    expect(found.length).toBeGreaterThan(0);
  }
}

/** Puts fail after so many. */
class FailingSnapshots extends MemorySnapshotStore implements SnapshotStore {
  failAfter = Number.POSITIVE_INFINITY;

  override async put(blocks: Parameters<SnapshotStore['put']>[0]): Promise<void> {
    this.failAfter -= 1;
    if (this.failAfter < 0) throw new Error('the snapshot store is full');
    return super.put(blocks);
  }
}

/** A store whose calls stand still, as those of a process that is paused. */
class HeldSnapshots extends MemorySnapshotStore implements SnapshotStore {
  private passing = Number.POSITIVE_INFINITY;
  private gate: Promise<void> = Promise.resolve();

  /** Holds the calls after so many; returns how to go on. */
  hold(after: number): () => void {
    let resume!: () => void;
    this.passing = after;
    this.gate = new Promise((resolve) => {
      resume = resolve;
    });
    return () => {
      this.passing = Number.POSITIVE_INFINITY;
      resume();
    };
  }

  private async pass(): Promise<void> {
    this.passing -= 1;
    if (this.passing < 0) await this.gate;
  }

  override async put(blocks: Parameters<SnapshotStore['put']>[0]): Promise<void> {
    await this.pass();
    return super.put(blocks);
  }

  override async list(prefix: string): Promise<string[]> {
    await this.pass();
    return super.list(prefix);
  }

  override async remove(prefix: string): Promise<void> {
    await this.pass();
    return super.remove(prefix);
  }
}

describe('publishing', () => {
  test('follows the log in order, from what the bus has', async () => {
    const bus = new RecordingBus();
    const one = await PartitionUnderTest.started({ bus });
    for (const line of ['a', 'b', 'c']) await one.write(line);
    await bus.whenPublished(4);
    const two = await one.next({ bus });
    await two.write('d');
    await bus.whenPublished(6);
    expect(bus.messages.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(bus.messages.map(({ bytes }) => Buffer.from(bytes as Uint8Array))).toEqual(two.commits().map(({ bytes }) => Buffer.from(bytes)));
  });

  test('does not begin before the bus has said what it has', async () => {
    const bus = new RecordingBus();
    const one = await PartitionUnderTest.started({ bus });
    for (const line of ['a', 'b', 'c']) await one.write(line);
    await bus.whenPublished(4);
    let say!: (sequence: number) => void;
    bus.lastSequence = () =>
      new Promise((resolve) => {
        say = resolve;
      });
    const two = await one.next({ bus });
    await two.write('d');
    await rounds();
    expect(bus.messages.length).toBe(4);
    say(4);
    await bus.whenPublished(6);
    expect(bus.messages.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test('is tried again with back-off while the bus is down, and reads from the log what memory has not', async () => {
    const bus = new RecordingBus();
    const one = await PartitionUnderTest.started({ bus, limits: { recentBytes: 1 } });
    await bus.whenPublished(1);
    bus.connected = false;
    for (let at = 0; at < 10; at += 1) await one.write(`line ${at}`);
    await one.clock.elapse(1_000);
    expect(bus.messages.length).toBe(1);
    bus.connected = true;
    await one.clock.elapse(10_000);
    await bus.whenPublished(11);
    expect(bus.messages.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 11 }, (_, at) => at + 1));
    expect(one.troubles.length).toBeGreaterThan(1);
    expect(one.troubles.length).toBeLessThan(10);
  });

  test('can be asked again for what the bus has lost', async () => {
    const bus = new RecordingBus();
    const one = await PartitionUnderTest.started({ bus });
    await one.write('a');
    await bus.whenPublished(2);
    one.partition.republish(1);
    await bus.whenPublished(4);
    expect(bus.messages.map(({ sequence }) => sequence)).toEqual([1, 2, 1, 2]);
  });

  test('never publishes what is not durable, or was lost', async () => {
    const bus = new RecordingBus();
    const one = await PartitionUnderTest.started({ bus });
    one.log.faults.failNextAppend();
    expect(await one.write('a')).toBe('PARTITION_UNAVAILABLE');
    await one.untilLoaded();
    await one.write('b');
    await bus.whenPublished(3);
    expect(bus.messages.map(({ bytes }) => Buffer.from(bytes as Uint8Array))).toEqual(one.commits().map(({ bytes }) => Buffer.from(bytes)));
  });
});
