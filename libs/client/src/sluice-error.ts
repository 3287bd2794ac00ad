/**
 * The one error that this library throws for what a server, or the way to it, answered.
 *
 * `code` is the canonical gRPC name, `reason` the stable word of docs/errors.md; both may be switched on. A refusal by an
 * account's state carries `verdict`, because it is recorded and the same request id gets it again for ever.
 */
import { status as grpcStatus, type Metadata } from '@grpc/grpc-js';
import { rpcpb } from '@sluice/protocol';

export type StatusName =
  | 'CANCELLED'
  | 'UNKNOWN'
  | 'INVALID_ARGUMENT'
  | 'DEADLINE_EXCEEDED'
  | 'NOT_FOUND'
  | 'ALREADY_EXISTS'
  | 'PERMISSION_DENIED'
  | 'RESOURCE_EXHAUSTED'
  | 'FAILED_PRECONDITION'
  | 'ABORTED'
  | 'OUT_OF_RANGE'
  | 'UNIMPLEMENTED'
  | 'INTERNAL'
  | 'UNAVAILABLE'
  | 'DATA_LOSS'
  | 'UNAUTHENTICATED';

/** What a refused posting found. */
export interface RefusalVerdict {
  /** The balance it was refused at, in minor units. */
  readonly balanceMinor: bigint;
  /** The held amount then, in minor units. */
  readonly heldMinor: bigint;
  /** True: this request was refused before, and this is the first answer again. */
  readonly repeated: boolean;
}

export interface SluiceErrorDetails {
  readonly code: StatusName;
  readonly reason: string;
  readonly message: string;
  readonly metadata?: Readonly<Record<string, string>>;
  /** The request that failed: calling again with it is safe, whatever became of the first call. */
  readonly requestId?: string;
  readonly verdict?: RefusalVerdict;
  readonly cause?: unknown;
}

export class SluiceError extends Error {
  readonly code: StatusName;
  /** Stable reason as in docs/errors.md; empty where the failure did not come from a Sluice server. */
  readonly reason: string;
  /** Pairs of the server's google.rpc.ErrorInfo. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly requestId: string | undefined;
  readonly verdict: RefusalVerdict | undefined;

  constructor(details: SluiceErrorDetails) {
    super(details.message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'SluiceError';
    this.code = details.code;
    this.reason = details.reason;
    this.metadata = details.metadata ?? {};
    this.requestId = details.requestId;
    this.verdict = details.verdict;
  }

  /** The same error, with the request that it is about. */
  about(requestId: string): SluiceError {
    return new SluiceError({
      code: this.code,
      reason: this.reason,
      message: this.message,
      metadata: this.metadata,
      requestId,
      verdict: this.verdict,
      cause: this.cause,
    });
  }
}

/** The canonical name of a numeric gRPC code; what is not one counts as UNKNOWN. */
export function statusName(code: number): StatusName {
  const name: string | undefined = grpcStatus[code];
  return name === undefined || name === 'OK' ? 'UNKNOWN' : (name as StatusName);
}

const STATUS_DETAILS_KEY = 'grpc-status-details-bin';
/** What grpc-js says, as INTERNAL, of a request whose numbers are too large for its message; it was never sent. */
const NOT_SERIALIZED = 'Request message serialization failure: ';
const ERROR_INFO_TYPE = 'type.googleapis.com/google.rpc.ErrorInfo';

/** What grpc-js rejects with, as far as it is read here. */
export interface GrpcFailure {
  readonly code: number;
  readonly details: string;
  readonly metadata: Metadata;
}

function isGrpcFailure(error: unknown): error is GrpcFailure {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' && 'metadata' in error && 'details' in error;
}

/** Turns whatever a call rejected with into a SluiceError, with the reason of the server's ErrorInfo where there is one. */
export function toSluiceError(error: unknown): SluiceError {
  if (error instanceof SluiceError) return error;
  if (!isGrpcFailure(error)) {
    return new SluiceError({ code: 'INTERNAL', reason: '', message: error instanceof Error ? error.message : String(error), cause: error });
  }
  if (error.details.startsWith(NOT_SERIALIZED)) {
    const message = `the request cannot be encoded: ${error.details.slice(NOT_SERIALIZED.length)}`;
    return new SluiceError({ code: 'INVALID_ARGUMENT', reason: 'INVALID_REQUEST', message, cause: error });
  }
  const code = statusName(error.code);
  for (const encoded of error.metadata?.get(STATUS_DETAILS_KEY) ?? []) {
    if (typeof encoded === 'string') continue;
    for (const detail of rpcpb.Status.decode(encoded).details) {
      if (detail.typeUrl !== ERROR_INFO_TYPE) continue;
      const info = rpcpb.ErrorInfo.decode(detail.value);
      return new SluiceError({ code, reason: info.reason, message: error.details, metadata: info.metadata, verdict: verdictIn(info.metadata), cause: error });
    }
  }
  return new SluiceError({ code, reason: '', message: error.details, cause: error });
}

/** The verdict of a single posting that its account refused. */
function verdictIn({ balance_minor: balance, held_minor: held, repeated }: Readonly<Record<string, string>>): RefusalVerdict | undefined {
  if (balance === undefined || held === undefined) return undefined;
  return { balanceMinor: BigInt(balance), heldMinor: BigInt(held), repeated: repeated === 'true' };
}
