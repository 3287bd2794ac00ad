/** What the process says to scripts when it ends; the table stands in `sluice --help`. */
import { SluiceError } from '@sluice/client';
import { CONFIGURATION_EXIT_CODE, ConfigurationError } from '@sluice/service';

export const EXIT = {
  /** Done. */
  done: 0,
  /** The server refused, or a comparison found a difference. */
  refused: 1,
  /** The command line is wrong. */
  usage: 2,
  /** No server answered in time; the outcome of a command may be unknown. */
  unavailable: 3,
  /** The server does not know the caller, or does not let it. */
  forbidden: 4,
  /** A fault of the program or the server, or data that is damaged. */
  fault: 5,
  /** The configuration is wrong (EX_CONFIG of sysexits.h). */
  configuration: CONFIGURATION_EXIT_CODE,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export const EXIT_CODES_HELP = `
Exit codes:
  0  done
  1  the server refused, or a comparison found a difference
  2  the command line is wrong
  3  no server answered in time; the outcome may be unknown: run again with the same --request-id
  4  the server does not know the caller, or does not let it
  5  a fault of the program or the server, or damaged data
  78 the configuration is wrong
`;

/** A wrong command line that the parser cannot find. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UsageError';
  }
}

/** A plain line and an exit code are all that there is to say. */
export class PlainFailure extends Error {
  constructor(
    message: string,
    readonly exitCode: ExitCode,
  ) {
    super(message);
    this.name = 'PlainFailure';
  }
}

export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof UsageError) return EXIT.usage;
  if (error instanceof ConfigurationError) return EXIT.configuration;
  if (error instanceof PlainFailure) return error.exitCode;
  if (!(error instanceof SluiceError)) return EXIT.fault;
  switch (error.code) {
    case 'UNAVAILABLE':
    case 'DEADLINE_EXCEEDED':
    case 'RESOURCE_EXHAUSTED':
      return EXIT.unavailable;
    case 'UNAUTHENTICATED':
    case 'PERMISSION_DENIED':
      // A wrong signature is a refusal of this posting, not of this caller.
      return error.reason === 'SIGNATURE_INVALID' ? EXIT.refused : EXIT.forbidden;
    case 'INTERNAL':
    case 'UNKNOWN':
    case 'DATA_LOSS':
    case 'UNIMPLEMENTED':
      return EXIT.fault;
    default:
      return EXIT.refused;
  }
}
