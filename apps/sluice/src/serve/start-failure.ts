/** Why a server did not start, as one plain line with what to do, and the exit code. */
import { basename } from 'node:path';
import { MissingKeysError } from '@sluice/ports';
import { UnreadableEventError } from '@sluice/engine';
import { CorruptCommitError, UnknownCommitFormatError, UnknownEventError } from '@sluice/protocol';
import { ConfigurationError, ListenError, PlainTextBeyondLoopbackError, UnusableFileError } from '@sluice/service';
import {
  DataFolderInUseError,
  InaccessibleDataFileError,
  isOutOfRoom,
  KeyringSecretError,
  NoRoomError,
  PartitionCountError,
  UnreadableDataFileError,
} from '@sluice/store-sqlite';
import { EXIT, PlainFailure } from '../exit-code';
import { repairAdvice } from '../log/chain';

/** What nobody foresaw comes back as it is. */
export function startFailure(error: unknown, folder: string): unknown {
  if (error instanceof ConfigurationError || error instanceof PlainFailure) return error;
  if (error instanceof UnknownCommitFormatError || (error instanceof UnreadableEventError && error.cause instanceof UnknownEventError)) {
    const what = `the event log in ${folder} was written by a newer version of Sluice: ${error.message}`;
    return new PlainFailure(`${what}. Start a version that knows it; nothing was changed`, EXIT.configuration);
  }
  if (error instanceof CorruptCommitError)
    return new PlainFailure(`the event log in ${folder} is damaged: ${error.message}; ${repairAdvice(error)}`, EXIT.fault);
  if (error instanceof UnreadableDataFileError) return new PlainFailure(`${error.message}; ${adviceFor(error.file)}`, EXIT.fault);
  if (error instanceof InaccessibleDataFileError) return new PlainFailure(`${error.message}. Nothing was changed`, EXIT.configuration);
  if (error instanceof NoRoomError) return new PlainFailure(`${error.message}: make room, then start again. Nothing was changed`, EXIT.configuration);
  if (isOutOfRoom(error, folder)) return new PlainFailure(`no room is left on the disk of ${folder}: make room, then start again`, EXIT.configuration);
  if (error instanceof KeyringSecretError) return new PlainFailure(error.message, EXIT.configuration);
  if (error instanceof MissingKeysError)
    return new PlainFailure(`${error.message}. The keyring of ${folder} is keyring.db, sealed under keyring.key; nothing was changed`, EXIT.configuration);
  if (error instanceof PartitionCountError)
    return new PlainFailure(`the data in ${folder} cannot be opened with this configuration: ${error.message}`, EXIT.configuration);
  if (error instanceof PlainTextBeyondLoopbackError || error instanceof UnusableFileError) return new PlainFailure(error.message, EXIT.configuration);
  if (error instanceof DataFolderInUseError || error instanceof ListenError) return new PlainFailure(error.message, EXIT.refused);
  return error;
}

function adviceFor(file: string): string {
  switch (basename(file)) {
    case 'read.db':
    case 'snapshots.db':
      return 'move it away with its -wal and -shm: it is made anew from the log';
    case 'lock':
      return 'remove it: no server is at work in the folder';
    default:
      return 'put back a whole copy from a backup: it cannot be made from anything else';
  }
}
