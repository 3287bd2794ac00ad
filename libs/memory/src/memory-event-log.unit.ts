import { AppendFailedError, SequenceTakenError } from '@sluice/ports';
import { contractCommit, eventLogContract, hex, patternBytes } from '@sluice/testing';
import { MemoryEventLog, MemoryLogStorage } from './memory-event-log';

eventLogContract('memory', async (partitions) => {
  const storage = new MemoryLogStorage({ partitions });
  return { open: async () => new MemoryEventLog(storage), dispose: async () => {} };
});

describe('faults of the memory event log', () => {
  let log: MemoryEventLog;

  beforeEach(() => {
    log = new MemoryEventLog({ partitions: 2 });
  });

  test('an append made to fail stores nothing, and the next one succeeds', async () => {
    log.faults.failNextAppend({ diskFull: true });
    await expect(log.append(contractCommit(0, 1))).rejects.toMatchObject({ name: 'AppendFailedError', diskFull: true });
    expect(await log.headSequences()).toEqual([0, 0]);
    await log.append(contractCommit(0, 1));
  });

  test('an append with unknown outcome is stored although it was reported as failed', async () => {
    log.faults.failNextAppendAfterStoring();
    await expect(log.append(contractCommit(0, 1))).rejects.toBeInstanceOf(AppendFailedError);
    expect(await log.headSequences()).toEqual([1, 0]);
  });

  test('a rival takes the sequence first, and its bytes are in the log', async () => {
    log.faults.letRivalTakeNextSequence(patternBytes(5, 20));
    await expect(log.append(contractCommit(1, 1))).rejects.toBeInstanceOf(SequenceTakenError);
    expect(hex((await log.head(1))?.bytes ?? new Uint8Array())).toBe(hex(patternBytes(5, 20)));
    await log.append(contractCommit(1, 2));
  });

  test('held appends store nothing until they are released, then go on in their order', async () => {
    const release = log.faults.holdAppends();
    const done: number[] = [];
    const appends = [1, 2].map((sequence) => log.append(contractCommit(0, sequence)).then(() => done.push(sequence)));
    await log.faults.whenHeld(2);
    expect(await log.headSequences()).toEqual([0, 0]);
    release();
    await Promise.all(appends);
    expect(done).toEqual([1, 2]);
  });
});
