/** Contests: their messages, events and reasons. */
import type { ProtocolCapability } from '../protocol-capability';
import { contestEvents } from './contest-events';
import { contestReasons } from './reasons';

export const protocolCapability = { name: 'contest', events: contestEvents, reasons: contestReasons } as const satisfies ProtocolCapability;

export * as contestpb from '../generated/index.sluice.contest.v1';
export * from './contest-events';
export * from './recorded-scores';
export * from './score-batch';
export * from './score-results-writer';
export * from './scores-recorded-writer';
