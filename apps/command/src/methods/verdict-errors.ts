/** What callers are told of verdicts that are no acceptance. */
import type { RequestVerdict } from '@sluice/engine';
import { codeOfReason, isReason, REASONS, refusal, type Reason, type SluiceError } from '@sluice/service';

export type Refused = Exclude<RequestVerdict, { readonly kind: 'accepted' }>;

/** The error of one item, as the messages of all capabilities have it. */
export interface ItemError {
  readonly code: number;
  readonly reason: string;
  readonly message: string;
}

export function reasonOf(verdict: Refused): Reason {
  switch (verdict.kind) {
    case 'rejected':
      if (!isReason(verdict.reason)) throw new Error(`the reason ${verdict.reason} is declared by no capability`);
      return verdict.reason;
    case 'reused':
      return 'REQUEST_ID_REUSED';
    case 'refused':
      return verdict.refusal === 'NOT_OWNER' ? 'PARTITION_UNAVAILABLE' : verdict.refusal;
    default:
      throw new Error(`no such verdict: ${String(verdict satisfies never)}`);
  }
}

export function errorOf(verdict: Refused): SluiceError {
  return refusal(reasonOf(verdict), messageOf(verdict), verdict.kind === 'rejected' ? verdict.metadata : undefined);
}

export function itemErrorOf(verdict: Refused): ItemError {
  const reason = reasonOf(verdict);
  return { code: codeOfReason(reason), reason, message: messageOf(verdict) };
}

export function itemErrorOfRefusal({ reason, message }: Pick<SluiceError, 'reason' | 'message'>): ItemError {
  return { code: codeOfReason(reason), reason, message };
}

function messageOf(verdict: Refused): string {
  const { when, advice } = REASONS[reasonOf(verdict)];
  return (verdict.kind === 'refused' ? verdict.message : undefined) ?? `${when} ${advice}`;
}
