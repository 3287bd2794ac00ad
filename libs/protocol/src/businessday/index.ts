/** Business days: their messages, events and reasons. */
import type { ProtocolCapability } from '../protocol-capability';
import { businessDayEvents } from './business-day-events';
import { businessDayReasons } from './reasons';

export const protocolCapability = { name: 'businessday', events: businessDayEvents, reasons: businessDayReasons } as const satisfies ProtocolCapability;

export * as businessdaypb from '../generated/index.sluice.businessday.v1';
export * from './business-day-events';
