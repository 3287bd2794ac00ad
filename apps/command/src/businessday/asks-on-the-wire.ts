/** What a branch asks of accounts and of the catalogue, as the messages of its deliveries, and their verdicts as the domain knows them. */
import { runIdOf, type AskedChunk, type BranchAnswer, type BranchAsk } from '@sluice/domain/businessday';
import type { Owed, SettledDelivery } from '@sluice/engine';
import { logpb } from '@sluice/protocol';
import { businessdaypb } from '@sluice/protocol/businessday';
import { BRANCH, CATALOGUE_KEY, ROLL_POLICY_NAMES } from './business-day-names';
import { productFromProto, termsToProto } from './products-on-the-wire';

const ACCOUNT = 'account';

export function owedAsk(branchId: string, ask: BranchAsk): Owed {
  const owed = (method: string, partition: number, payload: Uint8Array): Owed => ({ capability: ACCOUNT, method, key: branchId, partition, payload });
  switch (ask.kind) {
    case 'setDates': {
      const { partition, onlineDate, closedDate, nextDate, byHand, runDate } = ask;
      const runId = runDate === undefined ? '' : runIdOf(branchId, runDate);
      const dates = { branchId, onlineDate, closedDate, nextDate, byHand, runId, rollPolicy: ROLL_POLICY_NAMES.toProto(ask.rollPolicy) };
      return owed('SetBranchDay', partition, logpb.SetBranchDay.encode(dates).finish());
    }
    case 'countOutstanding':
      return owed('CountOutstanding', ask.partition, logpb.CountOutstanding.encode({ branchId, date: ask.date }).finish());
    case 'seal':
      return owed('SealBranchDay', ask.partition, logpb.SealBranchDay.encode({ branchId, date: ask.date }).finish());
    case 'roll':
      return owed('RollAccounts', ask.partition, logpb.RollAccounts.encode({ branchId, ...placeOf(ask) }).finish());
    case 'total':
      return owed('TotalAccounts', ask.partition, logpb.TotalAccounts.encode({ branchId, ...placeOf(ask) }).finish());
    case 'mature':
      return owed('MatureAccounts', ask.partition, logpb.MatureAccounts.encode({ branchId, ...placeOf(ask), ...termsOf(ask) }).finish());
    case 'accrue':
      return owed('AccrueInterest', ask.partition, logpb.AccrueInterest.encode({ branchId, ...placeOf(ask), ...termsOf(ask) }).finish());
    case 'takeTerms': {
      const payload = businessdaypb.TakeTerms.encode({ catalogue: CATALOGUE_KEY, date: ask.date }).finish();
      return { capability: BRANCH.capability, method: 'TakeTerms', key: CATALOGUE_KEY, payload };
    }
    default:
      return ask satisfies never;
  }
}

function placeOf({ date, from, limit }: AskedChunk) {
  return { date, from, limit };
}

function termsOf({ nextDate, terms }: AskedChunk) {
  return { nextDate, terms: terms.map(termsToProto) };
}

/** Throws for a delivery that no branch owes. */
export function answerOf(delivery: SettledDelivery): BranchAnswer {
  return delivery.accepted ? acceptedAnswer(delivery) : { kind: 'refused', again: refusedAsk(delivery) };
}

function acceptedAnswer({ method, partition, payload, answer }: SettledDelivery): BranchAnswer {
  switch (method) {
    case 'SetBranchDay': {
      const { onlineDate, runId } = logpb.SetBranchDay.decode(payload);
      return { kind: 'datesSet', partition, onlineDate, byRun: runId !== '' };
    }
    case 'CountOutstanding':
      return { kind: 'counted', partition, date: logpb.CountOutstanding.decode(payload).date, count: logpb.OutstandingCount.decode(answer).count };
    case 'SealBranchDay':
      return { kind: 'sealed', partition, date: logpb.SealBranchDay.decode(payload).date };
    case 'RollAccounts':
      return chunkAnswer(partition, undefined, logpb.RollAccounts.decode(payload), answer);
    case 'MatureAccounts':
      return chunkAnswer(partition, 'MATURITY', logpb.MatureAccounts.decode(payload), answer);
    case 'AccrueInterest':
      return chunkAnswer(partition, 'INTEREST', logpb.AccrueInterest.decode(payload), answer);
    case 'TotalAccounts':
      return chunkAnswer(partition, 'ACCOUNTING', logpb.TotalAccounts.decode(payload), answer);
    case 'TakeTerms': {
      const { date } = businessdaypb.TakeTerms.decode(payload);
      return { kind: 'terms', date, products: businessdaypb.CatalogueTerms.decode(answer).products.map(productFromProto) };
    }
    default:
      throw new Error(`no branch owes ${method}`);
  }
}

type ChunkAnswer = Extract<BranchAnswer, { readonly kind: 'advanced' }>;

function chunkAnswer(partition: number, job: ChunkAnswer['job'], { date, from }: Pick<ChunkAnswer, 'date' | 'from'>, answer: Uint8Array): ChunkAnswer {
  return { kind: 'advanced', partition, date, from, job, done: logpb.DayStepDone.decode(answer) };
}

function refusedAsk({ method, partition, payload }: SettledDelivery): Extract<BranchAnswer, { kind: 'refused' }>['again'] {
  if (method === 'TakeTerms') return { what: 'terms', date: businessdaypb.TakeTerms.decode(payload).date };
  if (method === 'SetBranchDay') {
    const { onlineDate, closedDate, runId } = logpb.SetBranchDay.decode(payload);
    return runId === '' ? { what: 'dates', date: onlineDate, partition } : { what: 'step', date: closedDate, partition };
  }
  // The messages of steps have the date in one field.
  return { what: 'step', date: logpb.CountOutstanding.decode(payload).date, partition };
}
