/** What a turn stores elsewhere is durable before the commit that names it is appended. */
import { Lines } from '../test/journal';
import { PartitionUnderTest, rounds, sorter } from '../test/partition-under-test';
import type { Turn } from './turn';

afterAll(() => sorter.close());

/** A line that names something which must be stored first. */
class NamingLine extends Lines {
  stored!: () => void;
  notStored!: (error: Error) => void;
  began = false;
  private readonly storing = new Promise<void>((resolve, reject) => {
    this.stored = resolve;
    this.notStored = reject;
  });

  override decide(turn: Turn): void {
    super.decide(turn);
    turn.beforeAppend(() => {
      this.began = true;
      return this.storing;
    });
  }
}

function submitNaming({ partition }: PartitionUnderTest, line: string): NamingLine {
  const naming = new NamingLine(partition, [line]);
  partition.submit(naming);
  return naming;
}

test('the append begins when it is stored', async () => {
  const one = await PartitionUnderTest.started();
  const naming = submitNaming(one, 'a');
  await rounds();
  expect([naming.began, one.logged()]).toEqual([true, []]);
  naming.stored();
  expect(await naming.answer).toEqual({ numbers: [1], sequence: 2 });
  expect(one.logged()).toEqual(['a']);
});

test('it is stored while the commit before it is on its way to the disk', async () => {
  const one = await PartitionUnderTest.started({ limits: { decideAheadCommands: 1 } });
  const release = one.log.faults.holdAppends();
  const first = one.submit('a');
  await one.log.faults.whenHeld(1);
  const naming = submitNaming(one, 'b');
  await rounds();
  expect(naming.began).toBe(true);
  naming.stored();
  release();
  expect(await first.answer).toEqual({ numbers: [1], sequence: 2 });
  expect(await naming.answer).toEqual({ numbers: [2], sequence: 3 });
});

test('what cannot be stored is not named: the turn is lost, and the partition goes on', async () => {
  const one = await PartitionUnderTest.started();
  const naming = submitNaming(one, 'a');
  await rounds();
  naming.notStored(new Error('the keyring is full'));
  expect(await naming.answer).toBe('PARTITION_UNAVAILABLE');
  await one.untilLoaded();
  expect(await one.write('b')).toMatchObject({ numbers: [1] });
  expect(one.logged()).toEqual(['b']);
});

test('a commit that was given up while it was stored never reaches the log', async () => {
  const one = await PartitionUnderTest.started({ limits: { decideAheadCommands: 1 } });
  const release = one.log.faults.holdAppends();
  one.log.faults.failNextAppend();
  const first = one.submit('a');
  await one.log.faults.whenHeld(1);
  const naming = submitNaming(one, 'b');
  await rounds();
  release();
  expect([await first.answer, await naming.answer]).toEqual(['PARTITION_UNAVAILABLE', 'PARTITION_UNAVAILABLE']);
  await one.untilLoaded();
  const alone = submitNaming(one, 'c');
  await rounds();
  const lost = one.partition.stop({ snapshot: false });
  naming.stored();
  await rounds();
  expect(one.logged()).toEqual([]);
  // A stop waits for what was decided.
  alone.stored();
  await lost;
  expect(one.logged()).toEqual(['c']);
});
