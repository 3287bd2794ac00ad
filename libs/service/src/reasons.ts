/**
 * Every reason that a caller can meet, with its gRPC code, when it happens and what to do: those of every service, and those that the
 * capabilities declare. docs/errors.md is this table; a test compares the two. A reason, once given out, keeps its name and its code.
 */
import { status } from '@grpc/grpc-js';
import { PROTOCOL_CAPABILITIES, type ReasonDefinition } from '@sluice/protocol';

export interface ReasonEntry {
  readonly code: status;
  /** When it happens. */
  readonly when: string;
  /** What the caller does about it. */
  readonly advice: string;
}

const refused = (code: status, when: string, advice: string): ReasonEntry => Object.freeze({ code, when, advice });

/** Those that no capability declares. */
const SHARED_REASONS = {
  // The request itself.
  INVALID_REQUEST: refused(
    status.INVALID_ARGUMENT,
    'A field is missing, too long or out of its range, or the bytes are not the message; the text of the refusal, or `field`, names it.',
    'Correct the request.',
  ),
  BATCH_TOO_LARGE: refused(
    status.INVALID_ARGUMENT,
    'More than 10,000 items, or more for one partition than its queue can hold or one commit may have (12 MiB). Nothing was done.',
    'Send smaller batches.',
  ),
  MESSAGE_TOO_LARGE: refused(status.RESOURCE_EXHAUSTED, 'The message is larger than the server takes (8 MiB unless configured).', 'Send smaller batches.'),
  REQUEST_ID_REUSED: refused(
    status.ALREADY_EXISTS,
    'The request id was used before with another body.',
    'Use a new id for a new request, and the same id only for the same request.',
  ),

  // Reading.
  READ_BEHIND: refused(
    status.UNAVAILABLE,
    'The read store did not reach the position of the token in time, or what is read was being written all the time.',
    'Ask again, with a longer deadline, or without the token.',
  ),
  PROJECTION_FILLING: refused(
    status.UNAVAILABLE,
    'The read store is being filled with the rows that this query reads, as after an upgrade.',
    'Ask again later; GetStatus of the projector and `sluice status` show how far it is.',
  ),
  READ_STORE_UNAVAILABLE: refused(
    status.UNAVAILABLE,
    'The read store cannot be reached, or the projector is still making an index that the answer needs.',
    'Ask again after a pause.',
  ),
  TOKEN_INVALID: refused(status.INVALID_ARGUMENT, 'The position token is not one that a reply carried.', 'Pass tokens on as they came.'),
  TOKEN_OF_OTHER_LOG: refused(
    status.FAILED_PRECONDITION,
    'The position token is of another incarnation of the log, as after a restore.',
    'Drop the token and read again.',
  ),
  PAGE_TOKEN_INVALID: refused(
    status.INVALID_ARGUMENT,
    'The page token is not one that this listing gave out.',
    'Start again from the first page, with the same filters.',
  ),
  AGGREGATE_NOT_FOUND: refused(status.NOT_FOUND, 'Neither the log nor the read store has such an aggregate.', 'Check the capability, the kind and the key.'),
  PARTITION_NOT_FOUND: refused(status.NOT_FOUND, 'There is no such partition.', 'Ask for 0 to partitions - 1; GetPartition says how many there are.'),
  REBUILD_RUNNING: refused(status.ABORTED, 'A rebuild is running already.', 'Wait for it; GetStatus of the projector shows where it stands.'),

  // The server and its limits.
  QUEUE_FULL: refused(
    status.RESOURCE_EXHAUSTED,
    "The partition's queue is full (50,000 commands or 32 MiB), and this account (or other aggregate) or this caller has the largest share of what waits there. Nothing was done.",
    'Slow down; send again after a pause, with the same request id.',
  ),
  TOO_MANY_CALLS: refused(
    status.RESOURCE_EXHAUSTED,
    'As many calls are in flight as the server takes, or requests of 64 MiB wait to be begun and this caller has more than an equal part of them. Nothing was done.',
    'Slow down; send again after a pause, with the same request id.',
  ),
  ANSWERS_NOT_READ: refused(
    status.RESOURCE_EXHAUSTED,
    'The caller of a stream read none of the answers that waited for it for 60 s. What it had sent is decided; the call ends without the answers and without ErrorInfo.',
    'Read answers while sending; send again, with the same request ids, what has no answer.',
  ),
  RATE_LIMITED: refused(
    status.RESOURCE_EXHAUSTED,
    'The caller is above its rate. Nothing was done.',
    'Slow down; `retry_after_ms` says for how long. Batches count as one call.',
  ),
  PARTITION_UNAVAILABLE: refused(
    status.UNAVAILABLE,
    "The partition's owner is changing or the log cannot be written; the outcome may be unknown.",
    'Send again with the same request id: what was done is answered, not done twice.',
  ),
  STARTING: refused(
    status.UNAVAILABLE,
    'The server is starting: what it needs is not there yet.',
    'Send again, to another instance or later; its health says when it serves.',
  ),
  SHUTTING_DOWN: refused(status.UNAVAILABLE, 'The server is stopping.', 'Send again with the same request id, to another instance or later.'),
  DEADLINE_EXCEEDED: refused(
    status.DEADLINE_EXCEEDED,
    'The deadline of the call passed; the outcome may be unknown.',
    'Send again with the same request id and more time.',
  ),
  CANCELLED: refused(
    status.CANCELLED,
    'The caller cancelled the call; the outcome may be unknown.',
    'Send again with the same request id if the outcome matters.',
  ),
  INTERNAL: refused(
    status.INTERNAL,
    "A fault of the server; `error_id` is in the server's log beside the cause.",
    'Send again with the same request id; report the error id if it stays.',
  ),

  // Who may do what.
  NOT_AUTHENTICATED: refused(
    status.UNAUTHENTICATED,
    'No token, or one that is unknown, expired or not for this server.',
    'Send `authorization: Bearer TOKEN` with a valid token, or a client certificate the server knows.',
  ),
  NOT_AUTHORIZED: refused(
    status.PERMISSION_DENIED,
    'The caller lacks the role that the service asks for; `role` names it.',
    'Use a caller with that role (post, read or operate).',
  ),
} satisfies Readonly<Record<string, ReasonEntry>>;

type ReasonsOf<Capability> = Capability extends { readonly reasons: infer Declared } ? keyof Declared & string : never;
export type Reason = keyof typeof SHARED_REASONS | ReasonsOf<(typeof PROTOCOL_CAPABILITIES)[number]>;

const declared = PROTOCOL_CAPABILITIES.flatMap(({ reasons }) => Object.entries<ReasonDefinition>(reasons)).map(
  ([name, { code, when, advice }]) => [name, refused(status[code], when, advice)] as const,
);

/** Shared ones first, then each capability's. */
export const REASONS = Object.freeze({ ...SHARED_REASONS, ...Object.fromEntries(declared) }) as Readonly<Record<Reason, ReasonEntry>>;

export function isReason(name: string): name is Reason {
  return Object.hasOwn(REASONS, name);
}

export function codeOfReason(reason: Reason): status {
  return REASONS[reason].code;
}
