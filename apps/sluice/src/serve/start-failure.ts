/** Why a server did not start, as one plain line with what to do, and the exit code. */
import { CorruptCommitError } from '@sluice/protocol';
import { ConfigurationError, ListenError, PlainTextBeyondLoopbackError, UnusableFileError } from '@sluice/service';
import { DataFolderInUseError, PartitionCountError } from '@sluice/store-sqlite';
import { EXIT, PlainFailure } from '../exit-code';
import { repairAdvice } from '../log/chain';

/** What nobody foresaw comes back as it is. */
export function startFailure(error: unknown, folder: string): unknown {
  if (error instanceof ConfigurationError || error instanceof PlainFailure) return error;
  if (error instanceof CorruptCommitError)
    return new PlainFailure(`the event log in ${folder} is damaged: ${error.message}; ${repairAdvice(error)}`, EXIT.fault);
  if (error instanceof PartitionCountError)
    return new PlainFailure(`the data in ${folder} cannot be opened with this configuration: ${error.message}`, EXIT.configuration);
  if (error instanceof PlainTextBeyondLoopbackError || error instanceof UnusableFileError) return new PlainFailure(error.message, EXIT.configuration);
  if (error instanceof DataFolderInUseError || error instanceof ListenError) return new PlainFailure(error.message, EXIT.refused);
  return error;
}
