/** What travels between a storage thread and its caller. */

/** Why a request was not carried out, in a form that crosses threads. */
export interface Failure {
  readonly kind: 'failed' | 'diskFull' | 'sequenceTaken' | 'partitionsDiffer';
  readonly message: string;
}

/** First message of the thread. */
export type Start<Ready> = { readonly ready: Ready; readonly failure?: undefined } | { readonly failure: Failure };

export interface NumberedRequest<Request> {
  readonly id: number;
  readonly request: Request;
}

/** All answers of a group travel in one message. */
export interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly failure?: Failure;
}

/** An error that says what kind of failure it is. */
export class StorageFailure extends Error {
  constructor(readonly failure: Failure) {
    super(failure.message);
    this.name = 'StorageFailure';
  }
}
