import type { SluiceError } from '@sluice/service';

/** What a call ends with when it does not end well. */
export class CallFailed extends Error {
  constructor(
    /** Canonical gRPC code's name. */
    readonly code: 'UNAVAILABLE' | 'DEADLINE_EXCEEDED' | 'REFUSED',
    /** Stable reason; '' if no server said one. */
    readonly reason: string,
    message: string,
    /** What the server refused with. */
    readonly refusal?: SluiceError,
  ) {
    super(message);
    this.name = 'CallFailed';
  }
}
