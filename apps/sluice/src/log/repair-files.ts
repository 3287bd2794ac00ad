/** `sluice log repair` for a data folder. What was made from the log (read store, snapshots, index) goes with the commits. */
import { rmSync } from 'node:fs';
import type { DataFolderLock } from '@sluice/store-sqlite';
import { type DataFiles, openLogForReading } from '../data-folder';
import type { CommitPlace, Dropped, RepairableLog } from './repairable-log';

export function logInFolder(files: DataFiles): RepairableLog {
  let lock: DataFolderLock | undefined;
  return {
    place: `in ${files.folder}`,
    heads: async () => {
      const log = await openLogForReading(files);
      try {
        return await log.headSequences();
      } finally {
        await log.close();
      }
    },
    assertUnused: async () => {
      const { DataFolderLock: Lock } = await import('@sluice/store-sqlite');
      try {
        lock = Lock.acquire(files.folder);
      } catch (error) {
        const { startFailure } = await import('../serve/start-failure.js');
        throw startFailure(error, files.folder);
      }
    },
    drop: (from) => dropInFolder(files, from),
    close: async () => lock?.release(),
  };
}

async function dropInFolder(files: DataFiles, { partition, sequence }: CommitPlace): Promise<Dropped> {
  const { SqliteEventLog } = await import('@sluice/store-sqlite');
  const log = await SqliteEventLog.open({ file: files.log, partitions: await partitionsOf(files) });
  try {
    // First, so that whatever breaks off in between leaves nothing that could take the log for the one it was.
    await log.renewIncarnation();
    const dropped = await log.dropFrom(partition, sequence);
    for (const file of [files.read, files.snapshots]) for (const suffix of ['', '-wal', '-shm']) rmSync(`${file}${suffix}`, { force: true });
    return { dropped };
  } finally {
    await log.close();
  }
}

async function partitionsOf(files: DataFiles): Promise<number> {
  const log = await openLogForReading(files);
  await log.close();
  return log.identity.partitions;
}
