/** Why a posting or a transfer was refused, as callers see it: the reason's name. */
import { accountpb } from '@sluice/protocol/account';

const REJECTION_PREFIX = 'REJECTION_';

/** Empty: it was not refused. */
export function rejectionFromWire(rejection: accountpb.Rejection): string {
  if (rejection === accountpb.Rejection.REJECTION_UNSPECIFIED) return '';
  return accountpb.rejectionToJSON(rejection).slice(REJECTION_PREFIX.length);
}
