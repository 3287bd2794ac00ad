/** What the outcome of one hop means to the instance that sent it. */
import { status, type ServiceError } from '@grpc/grpc-js';
import { errorInfoOf, isReason, refusal, type SluiceError } from '@sluice/service';
import { isNotOwner } from './not-owner';

export type HopFailure =
  /** The owner's answer to the caller. */
  | { readonly kind: 'refused'; readonly refusal: SluiceError }
  /** The instance does not serve the partition: nothing was done. */
  | { readonly kind: 'notOwner' }
  /** The owner said that it cannot serve the partition now; the outcome may be unknown. */
  | { readonly kind: 'unavailable'; readonly refusal: SluiceError }
  /** The instance does not take this one for a peer: nothing was done. An operator must change something. */
  | { readonly kind: 'untrusted'; readonly message: string }
  /** No answer; the outcome may be unknown. */
  | { readonly kind: 'unreachable'; readonly message: string };

export function failureOf(error: ServiceError): HopFailure {
  const info = errorInfoOf(error);
  if (info === undefined || !isReason(info.reason)) {
    if (error.code === status.DEADLINE_EXCEEDED) return { kind: 'refused', refusal: refusal('DEADLINE_EXCEEDED') };
    return { kind: 'unreachable', message: error.details };
  }
  switch (info.reason) {
    case 'PARTITION_UNAVAILABLE':
      return isNotOwner(info) ? { kind: 'notOwner' } : { kind: 'unavailable', refusal: refusal(info.reason, error.details, info.metadata) };
    case 'STARTING':
      return { kind: 'notOwner' };
    case 'SHUTTING_DOWN':
      return { kind: 'unreachable', message: error.details };
    // The caller was let in where its call entered: these are about the instance that sends the call on.
    case 'NOT_AUTHENTICATED':
    case 'NOT_AUTHORIZED':
    case 'RATE_LIMITED':
      return { kind: 'untrusted', message: error.details };
    default:
      return { kind: 'refused', refusal: refusal(info.reason, error.details, info.metadata) };
  }
}
