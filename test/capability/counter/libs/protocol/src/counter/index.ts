/** Counters: their messages, events and reasons. */
import type { ProtocolCapability } from '../protocol-capability';
import { counterEvents } from './counter-events';
import { counterReasons } from './reasons';

export const protocolCapability = { name: 'counter', events: counterEvents, reasons: counterReasons } as const satisfies ProtocolCapability;

export * as counterpb from '../generated/index.sluice.counter.v1';
export * from './counter-events';
