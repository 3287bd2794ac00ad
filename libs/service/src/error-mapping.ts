/**
 * From whatever a handler threw to what the caller may see. Known errors say what they are; an unknown one is a fault of
 * ours: the caller gets an id and no more, the log gets the id and everything.
 */
import { randomBytes } from 'node:crypto';
import { type StatusObject } from '@grpc/grpc-js';
import { StoreUnavailableError } from '@sluice/ports';
import { InvalidPositionTokenError, PositionOfOtherLogError } from '@sluice/protocol';
import type { Logger } from '@sluice/telemetry';
import { refusal, SluiceError, statusOf } from './sluice-error';

export function refusalOfThrown(thrown: unknown, method: string, logger: Logger): SluiceError {
  if (thrown instanceof SluiceError) return thrown;
  if (thrown instanceof InvalidPositionTokenError) return refusal('TOKEN_INVALID', thrown.message);
  if (thrown instanceof PositionOfOtherLogError) return refusal('TOKEN_OF_OTHER_LOG', thrown.message);
  if (thrown instanceof StoreUnavailableError) {
    logger.warn({ method, error: thrown }, 'a call could not be answered; the caller may try again');
    return refusal('READ_STORE_UNAVAILABLE');
  }
  const errorId = randomBytes(8).toString('hex');
  logger.error({ method, errorId, error: thrown instanceof Error ? thrown : new Error(String(thrown)) }, 'a call failed for a reason of ours');
  return refusal('INTERNAL', `internal error ${errorId}; the server's log has the cause under this id`, { error_id: errorId });
}

export function statusOfThrown(thrown: unknown, method: string, logger: Logger): StatusObject {
  return statusOf(refusalOfThrown(thrown, method, logger));
}
