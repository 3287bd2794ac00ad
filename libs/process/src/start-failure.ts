/** Why a process did not start: whether waiting would mend it, and else the exit code. */
import { StreamMismatchError } from '@sluice/bus-nats';
import { CONFIGURATION_EXIT_CODE, ConfigurationError, ListenError, PlainTextBeyondLoopbackError, UnusableFileError } from '@sluice/service';
import { MissingKeysError } from '@sluice/ports';
import { KeyringSecretError, MissingEventLogError, MongoUnavailableError, NoEventLogError, PartitionCountMismatchError } from '@sluice/store-mongo';
import { NatsUnavailableError } from '@sluice/bus-nats';

const FAULT_EXIT_CODE = 1;

/** Errors of the drivers that say that a server was not there for a moment. */
const PASSING =
  /^StoreUnavailableError$|^Mongo(Network|ServerSelection|NotConnected|Topology|Pool)|^(Timeout|Connection|ClosedConnection|DrainingConnection|Request|NoResponders)Error$/;

/** True: the server may be there in a moment. */
export function willPass(error: unknown): boolean {
  return error instanceof NoEventLogError || (error instanceof Error && PASSING.test(error.name));
}

/** A person has to change something before another start makes sense, or nobody knows. */
export function exitCodeOf(error: unknown): number {
  const mended = [
    ConfigurationError,
    UnusableFileError,
    PlainTextBeyondLoopbackError,
    PartitionCountMismatchError,
    MissingEventLogError,
    MissingKeysError,
    KeyringSecretError,
    StreamMismatchError,
    MongoUnavailableError,
    NatsUnavailableError,
    ListenError,
  ];
  return mended.some((kind) => error instanceof kind) ? CONFIGURATION_EXIT_CODE : FAULT_EXIT_CODE;
}
