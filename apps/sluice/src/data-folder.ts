/** Where the embedded stores keep their files. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { SqliteEventLog, UsedFiles } from '@sluice/store-sqlite';
import { EXIT, PlainFailure } from './exit-code';

const DEFAULT_FOLDER = '.sluice';

export interface DataFiles {
  readonly folder: string;
  /** The truth; everything else but the keyring can be made from it. */
  readonly log: string;
  readonly snapshots: string;
  readonly read: string;
  readonly keyring: string;
  /** Secret that seals the keyring. */
  readonly keyringKey: string;
  readonly lock: string;
}

export function dataFiles(folder: string): DataFiles {
  const absolute = resolve(folder);
  const file = (name: string): string => join(absolute, name);
  return {
    folder: absolute,
    log: file('log.db'),
    snapshots: file('snapshots.db'),
    read: file('read.db'),
    keyring: file('keyring.db'),
    keyringKey: file('keyring.key'),
    lock: file('lock'),
  };
}

/** What a server does with them. */
export function usedFiles({ log, snapshots, read, keyring, keyringKey, lock }: DataFiles): UsedFiles {
  return { databases: [lock, log, snapshots, read, keyring], read: [keyringKey] };
}

/** The folder that a command means: what it was told, else the environment's, else the default. */
export function chosenFolder(option: string | undefined, environment: NodeJS.ProcessEnv): DataFiles {
  return dataFiles(option ?? environment['SLUICE_DATA_DIR'] ?? DEFAULT_FOLDER);
}

/** Opens the log of a folder to look at it; a server may be at work on it meanwhile. */
export async function openLogForReading(files: DataFiles): Promise<SqliteEventLog> {
  if (!existsSync(files.log)) throw new PlainFailure(`there is no event log in ${files.folder}`, EXIT.usage);
  const { SqliteEventLog: EventLog } = await import('@sluice/store-sqlite');
  return EventLog.open({ file: files.log, readOnly: true });
}
