/**
 * `sluice log repair --drop-from PARTITION:SEQUENCE`: gives up the commits of a partition from a sequence on. Never done
 * without being asked for: acknowledged postings are lost by it. What was made from the log (read store, snapshots, index)
 * is dropped with them and made anew at the next start. The log has a new incarnation afterwards, so that position tokens, and
 * copies of the read store that somebody kept, which may reflect what is gone, are refused.
 */
import { rmSync } from 'node:fs';
import { DataFolderLock, SqliteEventLog } from '@sluice/store-sqlite';
import { type Command, InvalidArgumentError } from 'commander';
import { confirm } from '../confirmation';
import type { Surroundings } from '../connection';
import { chosenFolder, type DataFiles, openLogForReading } from '../data-folder';
import { UsageError } from '../exit-code';
import { Output } from '../output';
import { startFailure } from '../serve/start-failure';

interface DropFrom {
  readonly partition: number;
  readonly sequence: number;
}

interface RepairOptions {
  readonly dropFrom: DropFrom;
  readonly data?: string;
  readonly yes?: boolean;
}

export function addRepairCommand(log: Command, surroundings: Surroundings): void {
  log
    .command('repair')
    .description('drop the commits of a partition from a sequence on; acknowledged postings are lost')
    .requiredOption('--drop-from <partition:sequence>', 'the first commit to drop', dropFrom)
    .option('--data <folder>', 'data folder (SLUICE_DATA_DIR; default .sluice); no server may be at work on it')
    .option('--yes', 'do not ask')
    .addHelpText('after', '\nTake a copy of the folder first.\n\nExample:\n  sluice log repair --drop-from 2:4711')
    .action(async (options: RepairOptions, command: Command) => {
      const output = new Output(surroundings.terminal, command.optsWithGlobals<{ readonly json?: boolean }>().json === true);
      const files = chosenFolder(options.data, surroundings.environment);
      const { partitions, commits } = await whatWouldGo(files, options.dropFrom);
      const lock = lockFolder(files);
      try {
        const { partition, sequence } = options.dropFrom;
        const what = `${commits} commits of partition ${partition}, from sequence ${sequence} on, in ${files.folder}`;
        if (options.yes !== true)
          await confirm(surroundings, {
            consequence: `this would drop ${what}`,
            text: `Drop ${what}? What they acknowledged is lost.`,
            otherwise: 'nothing was dropped',
          });
        const dropped = await drop(files, partitions, options.dropFrom);
        output.thing({ partition, sequence, dropped }, [
          ['dropped', `${dropped} commits of partition ${partition}`],
          ['newest commit now', sequence - 1],
          ['next', 'start the server: it makes the read store and the snapshots anew'],
        ]);
      } finally {
        lock.release();
      }
    });
}

function dropFrom(text: string): DropFrom {
  const [, partition, sequence] = /^(\d{1,4}):([1-9]\d{0,14})$/.exec(text) ?? [];
  if (partition === undefined || sequence === undefined) throw new InvalidArgumentError('it is PARTITION:SEQUENCE, like 2:4711');
  return { partition: Number(partition), sequence: Number(sequence) };
}

async function whatWouldGo(files: DataFiles, { partition, sequence }: DropFrom): Promise<{ partitions: number; commits: number }> {
  const eventLog = await openLogForReading(files);
  try {
    const { partitions } = eventLog.identity;
    const head = (await eventLog.headSequences())[partition];
    if (head === undefined) throw new UsageError(`there are partitions 0 to ${partitions - 1}, not ${partition}`);
    if (sequence > head) throw new UsageError(`the newest commit of partition ${partition} is ${head}: there is nothing to drop from ${sequence} on`);
    return { partitions, commits: head - sequence + 1 };
  } finally {
    await eventLog.close();
  }
}

function lockFolder(files: DataFiles): DataFolderLock {
  try {
    return DataFolderLock.acquire(files.folder);
  } catch (error) {
    throw startFailure(error, files.folder);
  }
}

async function drop(files: DataFiles, partitions: number, { partition, sequence }: DropFrom): Promise<number> {
  const eventLog = await SqliteEventLog.open({ file: files.log, partitions });
  try {
    // First, so that whatever breaks off in between leaves nothing that could take the log for the one it was.
    await eventLog.renewIncarnation();
    const dropped = await eventLog.dropFrom(partition, sequence);
    for (const file of [files.read, files.snapshots]) for (const suffix of ['', '-wal', '-shm']) rmSync(`${file}${suffix}`, { force: true });
    return dropped;
  } finally {
    await eventLog.close();
  }
}
