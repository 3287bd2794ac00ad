/**
 * What every `EventLog` promises. An adapter's test calls `eventLogContract` with a factory; the suite opens logs on the
 * factory's storage as several processes would, and opens it again to see what is durable.
 */
import { AppendFailedError, SequenceTakenError, type CommitRecord, type CommitToAppend, type EventLog } from '@sluice/ports';
import { hex, patternBytes } from './pattern-bytes';

/** One event log's storage, fresh for a test. */
export interface EventLogFixture {
  /** Opens a log on the storage; the first call makes the storage with the partitions that the factory was given. */
  open(): Promise<EventLog>;
  /** Closes what is open and removes the storage. */
  dispose(): Promise<void>;
}

const PARTITIONS = 3;
const WHOLE_PAGE = { maxCommits: 1000, maxBytes: 64 * 1024 * 1024 };

interface PageCase {
  readonly fromSequence: number;
  readonly maxCommits: number;
  readonly maxBytes: number;
  readonly expected: readonly number[];
}

/** A commit of the partition whose bytes are a function of partition, sequence and length. */
export function contractCommit(partition: number, sequence: number, length = 64): CommitToAppend {
  return {
    partition,
    sequence,
    bytes: patternBytes(partition * 1000 + sequence, length),
    commandCount: 2,
    committedAtUs: 1_767_225_600_000_000 + sequence,
    eventTypes: ['account.AccountOpened', 'account.PostingsRecorded'],
  };
}

export function eventLogContract(name: string, makeFixture: (partitions: number) => Promise<EventLogFixture>): void {
  describe(`event log contract: ${name}`, () => {
    let fixture: EventLogFixture;
    let log: EventLog;

    beforeEach(async () => {
      fixture = await makeFixture(PARTITIONS);
      log = await fixture.open();
    });

    afterEach(async () => {
      await fixture.dispose();
    });

    const appendMany = async (partition: number, count: number, length?: number): Promise<void> => {
      for (let sequence = 1; sequence <= count; sequence += 1) await log.append(contractCommit(partition, sequence, length));
    };

    test('a new log has an identity and nothing in it', async () => {
      expect(log.identity.incarnation).toMatch(/^[0-9a-f]{32}$/);
      expect(log.identity.partitions).toBe(PARTITIONS);
      expect(Number.isSafeInteger(log.identity.createdAtUs)).toBe(true);
      expect(await log.headSequences()).toEqual([0, 0, 0]);
      expect(await log.head(1)).toBeUndefined();
      expect(await log.read(1, 1, WHOLE_PAGE)).toEqual([]);
    });

    test('what was appended is read back to the byte', async () => {
      await log.append(contractCommit(1, 1, 100));
      await log.append(contractCommit(1, 2, 700_000));
      await log.append(contractCommit(1, 3, 1));
      const records = await log.read(1, 1, WHOLE_PAGE);
      expect(records.map(described)).toEqual([100, 700_000, 1].map((length, at) => described(contractCommit(1, at + 1, length))));
      expect(described((await log.head(1)) as CommitRecord)).toEqual(described(contractCommit(1, 3, 1)));
      expect(await log.headSequences()).toEqual([0, 3, 0]);
    });

    test('only the view is stored, and it is stored as it was when it was handed over', async () => {
      const large = patternBytes(7, 4096);
      const expected = hex(large.subarray(100, 300));
      await log.append({ ...contractCommit(0, 1), bytes: large.subarray(100, 300) });
      large.fill(0);
      expect((await log.read(0, 1, WHOLE_PAGE)).map((record) => hex(record.bytes))).toEqual([expected]);
    });

    test('bytes may lie on shared memory', async () => {
      const shared = new Uint8Array(new SharedArrayBuffer(512), 128, 256);
      shared.set(patternBytes(9, 256));
      await log.append({ ...contractCommit(0, 1), bytes: shared });
      expect((await log.read(0, 1, WHOLE_PAGE)).map((record) => hex(record.bytes))).toEqual([hex(patternBytes(9, 256))]);
    });

    test('a sequence is given once', async () => {
      await appendMany(2, 2);
      await expect(log.append({ ...contractCommit(2, 2), bytes: patternBytes(1, 8) })).rejects.toBeInstanceOf(SequenceTakenError);
      await expect(log.append(contractCommit(2, 1))).rejects.toMatchObject({ name: 'SequenceTakenError', partition: 2, sequence: 1 });
      expect((await log.read(2, 1, WHOLE_PAGE)).map(described)).toEqual([1, 2].map((sequence) => described(contractCommit(2, sequence))));
    });

    test('of two writers one gets the sequence, and the log has what that one wrote', async () => {
      const rival = await fixture.open();
      for (let sequence = 1; sequence <= 10; sequence += 1) {
        const ours = { ...contractCommit(0, sequence), bytes: patternBytes(sequence, 40) };
        const theirs = { ...contractCommit(0, sequence), bytes: patternBytes(sequence + 500, 40) };
        const outcomes = await Promise.allSettled([log.append(ours), rival.append(theirs)]);
        const won = outcomes.map((outcome) => outcome.status === 'fulfilled');
        expect(won.filter(Boolean)).toHaveLength(1);
        for (const outcome of outcomes) if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(SequenceTakenError);
        const winner = won[0] === true ? ours : theirs;
        expect(hex(((await log.head(0)) as CommitRecord).bytes)).toBe(hex(winner.bytes));
      }
    });

    test('appends of several partitions go on side by side, and one that fails does not fail the others', async () => {
      await log.append(contractCommit(1, 1));
      const outcomes = await Promise.allSettled([log.append(contractCommit(0, 1)), log.append(contractCommit(1, 1)), log.append(contractCommit(2, 1))]);
      expect(outcomes.map((outcome) => outcome.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
      expect(await log.headSequences()).toEqual([1, 1, 1]);
    });

    test('what one log appends, every other log sees at once', async () => {
      const other = await fixture.open();
      expect(await other.headSequences()).toEqual([0, 0, 0]);
      await appendMany(0, 2);
      expect(await other.headSequences()).toEqual([2, 0, 0]);
      expect((await other.head(0))?.sequence).toBe(2);
      expect((await other.read(0, 2, WHOLE_PAGE)).map(described)).toEqual([described(contractCommit(0, 2))]);
      await other.append(contractCommit(0, 3));
      expect(await log.headSequences()).toEqual([3, 0, 0]);
    });

    test.each`
      fromSequence | maxCommits | maxBytes | expected        | why
      ${1}         | ${1000}    | ${10000} | ${[1, 2, 3, 4]} | ${'the page holds them all'}
      ${3}         | ${1000}    | ${10000} | ${[3, 4]}       | ${'it begins where it is told'}
      ${5}         | ${1000}    | ${10000} | ${[]}           | ${'nothing there'}
      ${1}         | ${2}       | ${10000} | ${[1, 2]}       | ${'so many commits'}
      ${2}         | ${1000}    | ${250}   | ${[2, 3]}       | ${'about so many bytes'}
      ${2}         | ${1000}    | ${1}     | ${[2]}          | ${'one commit at least'}
    `('a page from $fromSequence, $maxCommits commits, $maxBytes bytes: $why', async ({ fromSequence, maxCommits, maxBytes, expected }: PageCase) => {
      await appendMany(1, 4, 100);
      const records = await log.read(1, fromSequence, { maxCommits, maxBytes });
      expect(records.map((record) => record.sequence)).toEqual(expected);
    });

    test('everything is there after it was closed and opened again', async () => {
      await appendMany(0, 3);
      await appendMany(2, 1);
      const { identity } = log;
      await log.close();
      log = await fixture.open();
      expect(log.identity).toEqual(identity);
      expect(await log.headSequences()).toEqual([3, 0, 1]);
      expect((await log.read(0, 1, WHOLE_PAGE)).map(described)).toEqual([1, 2, 3].map((sequence) => described(contractCommit(0, sequence))));
      await log.append(contractCommit(0, 4));
    });

    test('a look at one sequence sees what any log appended before', async () => {
      const other = await fixture.open();
      expect(await log.isTaken(0, 1)).toBe(false);
      await other.append(contractCommit(0, 1));
      expect([await log.isTaken(0, 1), await log.isTaken(0, 2), await log.isTaken(1, 1)]).toEqual([true, false, false]);
    });

    test('commits can be dropped from a sequence on, and the partition goes on from there', async () => {
      await appendMany(1, 5);
      await appendMany(2, 2);
      expect(await log.dropFrom(1, 4)).toBe(2);
      expect(await log.headSequences()).toEqual([0, 3, 2]);
      await expect(log.append(contractCommit(1, 3))).rejects.toBeInstanceOf(SequenceTakenError);
      await log.append(contractCommit(1, 4));
      expect(await log.dropFrom(1, 9)).toBe(0);
      expect(await log.dropFrom(2, 1)).toBe(2);
      expect(await log.head(2)).toBeUndefined();
      await log.append(contractCommit(2, 1));
    });

    test('the largest commit is taken; a larger one is refused, and nothing of it is stored', async () => {
      const bytes = new Uint8Array(log.maximumCommitBytes + 1);
      await expect(log.append({ ...contractCommit(0, 1), bytes })).rejects.toBeInstanceOf(AppendFailedError);
      expect(await log.headSequences()).toEqual([0, 0, 0]);
      await log.append({ ...contractCommit(0, 1), bytes: bytes.subarray(1) });
      expect((await log.head(0))?.bytes.length).toBe(log.maximumCommitBytes);
    });

    test('a closed log takes no appends', async () => {
      await log.close();
      await expect(log.append(contractCommit(0, 1))).rejects.toBeInstanceOf(AppendFailedError);
    });
  });
}

function described(record: CommitRecord): { partition: number; sequence: number; bytes: string } {
  return { partition: record.partition, sequence: record.sequence, bytes: hex(record.bytes) };
}
