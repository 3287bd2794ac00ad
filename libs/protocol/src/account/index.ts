/** Accounts: their messages, events and reasons. */
import type { ProtocolCapability } from '../protocol-capability';
import { accountEvents } from './account-events';
import { accountReasons } from './reasons';

export const protocolCapability = { name: 'account', events: accountEvents, reasons: accountReasons } as const satisfies ProtocolCapability;

export * as accountpb from '../generated/index.sluice.account.v1';
export * from './account-events';
export * from './account-postings';
export * from './posting-batch';
export * from './posting-signature';
export * from './transfer-events';
export * from './transfer-legs';
