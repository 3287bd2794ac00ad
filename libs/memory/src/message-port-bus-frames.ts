/** What travels over the MessagePort between the two ends of the cross-thread bus. */
import type { BusMessage } from '@sluice/ports';

/** Publisher to reader. */
export interface MessageFrame {
  readonly kind: 'message';
  readonly message: BusMessage;
}

/** Reader to publisher: bytes that it no longer holds. */
export interface ReleasedFrame {
  readonly kind: 'released';
  readonly bytes: number;
}
