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

/** What is read, or `absent` where the call is refused because it is not there: with that reason. */
export async function readOr<Value>(absent: Value, reason: string, read: () => Promise<Value>): Promise<Value> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof CallFailed) || error.reason !== reason) throw error;
    return absent;
  }
}

/** The answer, or the reason where the call is refused for good. */
export async function answerOrReason(call: Promise<Buffer>): Promise<Buffer | string> {
  try {
    return await call;
  } catch (error) {
    if (!(error instanceof CallFailed) || error.code !== 'REFUSED') throw error;
    return error.reason;
  }
}
