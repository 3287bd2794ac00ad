/** An append whose outcome is unknown: the partition finds out from the log what became of it, and keeps its memory. */
import { AppendFailedError, type CommitToAppend } from '@sluice/ports';
import { Lines } from '../test/journal';
import { PartitionUnderTest, rounds, sorter, type Surroundings } from '../test/partition-under-test';

const DOUBT_MS = 30_000;

afterAll(() => sorter.close());

/** A partition with a commit in its log, and the reads of its log from then on. */
async function written(surroundings: Surroundings = {}) {
  const one = await PartitionUnderTest.started({ ...surroundings, limits: { doubtMs: DOUBT_MS, decideAheadCommands: 1, ...surroundings.limits } });
  await one.write('kept');
  return { one, memory: one.partition.stateOf('journal'), reads: jest.spyOn(one.log, 'read') };
}

/** The commit's request is on its way still, and is carried out right before the next append. */
function delayNextAppend(one: PartitionUnderTest): void {
  const append = one.log.append.bind(one.log);
  let late: CommitToAppend | undefined;
  jest.spyOn(one.log, 'append').mockImplementation(async (commit) => {
    if (late === undefined) {
      late = commit;
      throw new AppendFailedError('no answer in time');
    }
    jest.restoreAllMocks();
    await append(late);
    return append(commit);
  });
}

describe('the memory is kept, the log is not replayed, and callers get their answer', () => {
  test.each([
    ['the request is lost', (one: PartitionUnderTest) => one.log.faults.failNextAppend()],
    ['the answer is lost', (one: PartitionUnderTest) => one.log.faults.failNextAppendAfterStoring()],
  ])('%s', async (_, fail) => {
    const { one, memory, reads } = await written();
    fail(one);
    expect(await one.write('a')).toEqual({ numbers: [2], sequence: 3 });
    expect(await one.write('b')).toEqual({ numbers: [3], sequence: 4 });
    expect(one.logged()).toEqual(['kept', 'a', 'b']);
    expect(one.partition.stateOf('journal')).toBe(memory);
    expect(reads.mock.calls.map(([, from, { maxCommits }]) => [from, maxCommits])).toEqual([[2, 3]]);
    // No other ownership commit, and the newest one is the first.
    expect(one.commits().map(({ epoch }) => epoch)).toEqual([1, 1, 1, 1]);
    expect(one.troubles).toEqual(['an append failed, or was not answered; the log is asked for the commit']);
  });

  test('the request is late: the second append finds the sequence taken, by the same bytes', async () => {
    const { one, memory } = await written();
    delayNextAppend(one);
    const answer = one.write('a');
    await rounds();
    await one.clock.elapse(50);
    expect(await answer).toEqual({ numbers: [2], sequence: 3 });
    expect(one.logged()).toEqual(['kept', 'a']);
    expect(one.partition.stateOf('journal')).toBe(memory);
    expect(one.lost).toEqual([]);
  });

  test('the turn that was decided behind it is appended behind it, and what waits is decided then', async () => {
    const { one } = await written();
    one.log.faults.failNextAppend();
    const release = one.log.faults.holdAppends();
    const first = one.submit('a');
    await one.log.faults.whenHeld(1);
    const second = one.submit('b');
    await rounds();
    const third = one.submit('c');
    release();
    expect(await Promise.all([first, second, third].map(({ answer }) => answer))).toEqual([
      { numbers: [2], sequence: 3 },
      { numbers: [3], sequence: 4 },
      { numbers: [4], sequence: 5 },
    ]);
    expect(one.logged()).toEqual(['kept', 'a', 'b', 'c']);
  });

  test('the log is away for a while: nothing is decided, what comes later is refused, and then all goes on at once', async () => {
    const { one, memory, reads } = await written();
    reads.mockRejectedValue(new Error('the server is away'));
    one.log.faults.failNextAppend();
    const first = one.submit('a');
    await rounds();
    const waits = one.submit('b');
    await one.clock.elapse(900);
    expect([first.answered, waits.answered]).toEqual([undefined, undefined]);
    await one.clock.elapse(100);
    expect([first.answered, await waits.answer, await one.write('c')]).toEqual([undefined, 'PARTITION_UNAVAILABLE', 'PARTITION_UNAVAILABLE']);
    reads.mockRestore();
    await one.clock.elapse(500);
    expect(await first.answer).toEqual({ numbers: [2], sequence: 3 });
    expect(await one.write('d')).toEqual({ numbers: [3], sequence: 4 });
    expect(one.partition.stateOf('journal')).toBe(memory);
  });

  test('a snapshot of the commit and who waits for it wait for the outcome', async () => {
    const { one } = await written();
    one.log.faults.failNextAppendAfterStoring();
    const answer = one.write('a');
    await rounds(1);
    const recalled = one.partition.recall(3);
    await answer;
    expect((await recalled).sequence).toBe(3);
  });
});

describe('another owner', () => {
  test('has taken the sequence: the partition steps down, and nothing of the turn stands', async () => {
    const { one } = await written();
    const two = await one.next({ owner: 'two' });
    one.log.faults.failNextAppend();
    expect(await one.write('a')).toBe('NOT_OWNER');
    expect([one.partition.state, one.lost]).toEqual(['lost', [1]]);
    expect(await two.write('b')).toEqual({ numbers: [2], sequence: 4 });
    expect(two.logged()).toEqual(['kept', 'b']);
  });

  test('goes on behind the commit: the partition steps down, and the new owner has what the caller asks for again', async () => {
    const { one, reads } = await written();
    let two: PartitionUnderTest | undefined;
    reads.mockImplementation(async (...asked) => {
      two ??= await one.next({ owner: 'two' });
      return two.log.read(...asked);
    });
    one.log.faults.failNextAppendAfterStoring();
    expect(await one.write('a')).toBe('NOT_OWNER');
    expect([one.partition.state, two?.lines]).toEqual(['lost', ['kept', 'a']]);
  });

  test('takes the partition between the look and the second append: one of the two commits stands', async () => {
    const { one } = await written();
    const append = one.log.append.bind(one.log);
    one.log.faults.failNextAppend();
    let appends = 0;
    jest.spyOn(one.log, 'append').mockImplementation(async (commit) => {
      appends += 1;
      if (appends === 2) await one.next({ owner: 'two' });
      return append(commit);
    });
    const answer = one.write('a');
    await rounds();
    await one.clock.elapse(50);
    expect(await answer).toBe('NOT_OWNER');
    expect([one.logged(), one.owners()]).toEqual([['kept'], ['one', 'two']]);
  });
});

describe('the memory is dropped and the log read again', () => {
  test('when the doubt takes too long', async () => {
    const { one, memory, reads } = await written();
    reads.mockRejectedValue(new Error('the server is away'));
    one.log.faults.failNextAppend();
    const first = one.submit('a');
    await rounds();
    await one.clock.elapse(DOUBT_MS);
    expect(await first.answer).toBe('PARTITION_UNAVAILABLE');
    reads.mockRestore();
    await one.untilLoaded();
    expect(one.partition.stateOf('journal')).not.toBe(memory);
    expect(await one.write('b')).toEqual({ numbers: [2], sequence: 4 });
    expect(one.logged()).toEqual(['kept', 'b']);
    expect(one.commits().map(({ epoch }) => epoch)).toEqual([1, 1, 2, 2]);
  });

  test('when the log was changed under it', async () => {
    const { one } = await written();
    await one.write('cut');
    await one.log.dropFrom(1, 3);
    one.log.faults.failNextAppend();
    expect(await one.write('a')).toBe('PARTITION_UNAVAILABLE');
    await one.untilLoaded();
    expect(one.lines).toEqual(['kept']);
  });

  test('at once when the log says that it takes nothing', async () => {
    const { one, memory } = await written();
    one.log.faults.failNextAppend({ diskFull: true });
    expect(await one.write('a')).toBe('PARTITION_UNAVAILABLE');
    await one.untilLoaded();
    expect(one.partition.stateOf('journal')).not.toBe(memory);
    expect(one.lines).toEqual(['kept']);
  });
});

test('a partition that is released does not wait for the outcome, and appends nothing any more', async () => {
  const { one, reads } = await written({ shared: true });
  let answer = (): void => undefined;
  reads.mockImplementation(() => new Promise((resolve) => (answer = () => resolve([]))));
  one.log.faults.failNextAppend();
  const waits = one.submit('a');
  await rounds();
  const released = one.partition.release();
  expect(await waits.answer).toBe('NOT_OWNER');
  await released;
  const appends = jest.spyOn(one.log, 'append');
  answer();
  await rounds();
  expect([appends.mock.calls, one.logged()]).toEqual([[], ['kept']]);
});

test('an append that fails while the partition is released is not asked for', async () => {
  const { one, reads } = await written({ shared: true });
  const release = one.log.faults.holdAppends();
  one.log.faults.failNextAppend();
  const submission = new Lines(one.partition, ['a']);
  one.partition.submit(submission);
  await one.log.faults.whenHeld(1);
  const released = one.partition.release();
  release();
  await released;
  expect(['NOT_OWNER', 'PARTITION_UNAVAILABLE']).toContain(await submission.answer);
  expect(reads).not.toHaveBeenCalled();
});
