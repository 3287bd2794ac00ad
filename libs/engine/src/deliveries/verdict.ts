/** The final verdict of a target on a delivery, as both sides keep it. */
import { type logpb } from '@sluice/protocol';
import type { InternalVerdict } from '../internal/internal-command';

export interface Verdict {
  readonly accepted: boolean;
  /** Empty if it was accepted. */
  readonly reason: string;
  /** What the target's capability answered. */
  readonly answer: Uint8Array;
}

export const NOTHING: Uint8Array = new Uint8Array(0);
/** What most deliveries get; it is neither kept nor sent by name. */
export const ACCEPTED: Verdict = Object.freeze({ accepted: true, reason: '', answer: NOTHING });

export function isPlain({ accepted, answer }: Verdict): boolean {
  return accepted && answer.length === 0;
}

/** Undefined: there is none. */
export function verdictOf(decided: InternalVerdict): Verdict | undefined {
  switch (decided.kind) {
    case 'accepted':
      return decided.payload.length === 0 ? ACCEPTED : { accepted: true, reason: '', answer: decided.payload };
    case 'rejected':
      return { accepted: false, reason: decided.reason, answer: decided.payload };
    case 'undecidable':
      return undefined;
    default:
      return decided satisfies never;
  }
}

export function toProto(number: number, { accepted, reason, answer }: Verdict): logpb.DeliveryVerdict {
  return { number: BigInt(number), rejected: !accepted, reason, answer: Buffer.from(answer) };
}

export function fromProto({ rejected, reason, answer }: logpb.DeliveryVerdict): Verdict {
  return { accepted: !rejected, reason, answer };
}
