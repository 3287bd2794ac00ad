/** A reason that a caller can meet: its gRPC code, when it happens and what to do. A reason, once given out, keeps its name and its code. */

/** Names of the gRPC codes that reasons have. */
export type ReasonCode =
  | 'ABORTED'
  | 'ALREADY_EXISTS'
  | 'FAILED_PRECONDITION'
  | 'INVALID_ARGUMENT'
  | 'NOT_FOUND'
  | 'OUT_OF_RANGE'
  | 'PERMISSION_DENIED'
  | 'RESOURCE_EXHAUSTED'
  | 'UNAVAILABLE';

export interface ReasonDefinition {
  readonly code: ReasonCode;
  /** When it happens. */
  readonly when: string;
  /** What the caller does about it. */
  readonly advice: string;
}

export const reason = (code: ReasonCode, when: string, advice: string): ReasonDefinition => Object.freeze({ code, when, advice });
