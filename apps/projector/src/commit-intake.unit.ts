/** What the intake takes from the bus, what it takes from the log, and what it tells. */
import { NO_LIMITS } from '@sluice/domain/account';
import { MemoryEventLog } from '@sluice/memory';
import type { CommitToAppend } from '@sluice/ports';
import { beginningOf } from '@sluice/protocol';
import { AccountHistory, type HistoryCommand } from '@sluice/testing';
import { CommitIntake } from './commit-intake';

const PARTITION = 0;
const ACCOUNT = 'alice';

interface Scene {
  readonly log: MemoryEventLog;
  readonly commits: readonly CommitToAppend[];
  readonly intake: CommitIntake;
  readonly discarded: string[];
}

/** A log of an account that is opened and credited; nothing of it is taken in yet. */
async function scene(credits: number): Promise<Scene> {
  const log = new MemoryEventLog({ partitions: 2 });
  const history = new AccountHistory({ incarnation: log.identity.incarnation, partition: PARTITION });
  const opening: HistoryCommand = {
    kind: 'account',
    accountId: ACCOUNT,
    requestId: 'open',
    command: { kind: 'open', accountId: ACCOUNT, unit: 'EUR', branchId: '', product: '', limits: NO_LIMITS, signingKeyId: '' },
  };
  const crediting = (index: number): HistoryCommand => ({
    kind: 'post',
    accountId: ACCOUNT,
    posting: { requestId: `credit-${index}`, type: 'CREDIT', amountMinor: 5n, unit: 'EUR', holdId: '', final: false },
  });
  const commits = [opening, ...Array.from({ length: credits }, (_, index) => crediting(index))].map((command, at) => history.turn([command], 1_000 + at));
  for (const commit of commits) await log.append(commit);
  const discarded: string[] = [];
  const intake = new CommitIntake(log, beginningOf(log.identity, PARTITION), new AbortController().signal, ({ message }) => discarded.push(message));
  return { log, commits, intake, discarded };
}

const message = ({ partition, sequence, bytes }: CommitToAppend, change: (bytes: Buffer) => void = () => undefined) => {
  const copy = Buffer.from(bytes);
  change(copy);
  return { partition, sequence, bytes: copy };
};

/** The amount of a credit, in the middle of the commit's payload: its header and its checksum stay as they were. */
const changeAmount = (bytes: Buffer): void => {
  const at = bytes.indexOf('credit-');
  bytes[at] = (bytes[at] as number) ^ 0x01;
};

test('a commit of the bus whose bytes were changed is taken from the log instead, and told', async () => {
  const { commits, intake, discarded } = await scene(1);
  const [opened, credited] = commits as [CommitToAppend, CommitToAppend];
  await intake.offer(message(opened));
  await intake.offer(message(credited, changeAmount));
  while (intake.sequence < 2) await intake.waitForCommits();
  const taken = intake.take().commits.map(({ bytes }) => Buffer.from(bytes));
  expect(taken).toEqual([Buffer.from(opened.bytes), Buffer.from(credited.bytes)]);
  expect(discarded).toEqual(['partition 0, sequence 2: the checksum does not match: the commit was changed']);
});

test('what the bus brings whole is taken without reading the log', async () => {
  const { log, commits, intake, discarded } = await scene(3);
  const newest = commits.at(-1) as CommitToAppend;
  await log.dropFrom(PARTITION, newest.sequence);
  await intake.waitForCommits();
  await intake.waitForCommits();
  expect(intake.take().commits).toHaveLength(newest.sequence - 1);
  const reads = jest.spyOn(log, 'read');
  await intake.offer(message(newest));
  expect(intake.take().commits.map(({ sequence }) => sequence)).toEqual([newest.sequence]);
  expect(reads).not.toHaveBeenCalled();
  expect(discarded).toEqual([]);
});

test('a commit of the bus that continues another history is not taken, and told', async () => {
  const { commits, intake, discarded } = await scene(2);
  const { commits: others } = await scene(2);
  await intake.offer(message(commits[0] as CommitToAppend));
  await intake.offer(message(others[1] as CommitToAppend));
  while (intake.sequence < 3) await intake.waitForCommits();
  expect(intake.take().commits.map(({ bytes }) => Buffer.from(bytes))).toEqual(commits.map(({ bytes }) => Buffer.from(bytes)));
  expect(discarded).toEqual(['partition 0, sequence 2: the commit belongs to another incarnation of the log']);
});

test('what a poll of the log shows is read at once while the bus brings nothing, and given time to come while it does', async () => {
  const { log, commits, intake } = await scene(4);
  const [, second, third, fourth, fifth] = commits as [CommitToAppend, CommitToAppend, CommitToAppend, CommitToAppend, CommitToAppend];
  await log.dropFrom(PARTITION, second.sequence);
  /** What is taken after the commit was appended, and after it was heard of. Before, the intake waits. */
  const takenOf = async (commit: CommitToAppend, heard: () => Promise<void>): Promise<number[]> => {
    const waiting = intake.waitForCommits();
    await nextRound();
    await log.append(commit);
    await heard();
    await waiting;
    return intake.take().commits.map(({ sequence }) => sequence);
  };
  const reads = jest.spyOn(log, 'read');
  /** Resolves with how often the log was read for what one poll showed. */
  const polled = async (sequence: number): Promise<number> => {
    reads.mockClear();
    intake.headIs(sequence, true);
    await nextRound();
    return reads.mock.calls.length;
  };
  await intake.waitForCommits();
  intake.take();

  await takenOf(second, async () => {
    expect(await polled(2)).toBe(0);
    expect(await polled(2)).toBeGreaterThan(0);
  });
  await takenOf(third, async () => {
    expect(await polled(3)).toBeGreaterThan(0);
  });
  expect(await takenOf(fourth, () => intake.offer(message(fourth)))).toEqual([4]);
  await takenOf(fifth, async () => {
    expect(await polled(5)).toBe(0);
    expect(await polled(5)).toBeGreaterThan(0);
  });
  expect(intake.sequence).toBe(5);
});

test('what a poll of the log shows is read at once while the bus cannot be reached', async () => {
  const { log, commits, intake } = await scene(2);
  const newest = commits.at(-1) as CommitToAppend;
  await log.dropFrom(PARTITION, newest.sequence);
  await intake.waitForCommits();
  intake.take();
  const waiting = intake.waitForCommits();
  expect(intake.headIs(newest.sequence - 1, false)).toBe(false);
  await nextRound();
  await log.append(newest);
  expect(intake.headIs(newest.sequence, false)).toBe(true);
  await waiting;
  expect(intake.take().commits.map(({ sequence }) => sequence)).toEqual([newest.sequence]);
});

const nextRound = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
