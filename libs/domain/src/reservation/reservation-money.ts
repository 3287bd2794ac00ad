/**
 * The money of a reservation: held on an account, then released, or captured and paid to a payee.
 *
 *   NONE ──asks──▶ ASKED ──held──▶ HELD ──completed──▶ CAPTURING ──captured──▶ CAPTURED ──taken──▶ PAID
 *     ▲              │               │                     │                       └────not taken──▶ RETURNED
 *     └───refused────┤               └──over──▶ RELEASED   └──────────────not captured─────────────────▲
 *                    └──over; the answer comes later──▶ RELEASED
 *
 * Over: cancelled, expired, or rejected by the resource. It asks once, and each answer leads on from one state only, so that what is held is released or
 * captured once.
 */
import type { Reservation, ReservationEvent } from './reservation';

export type MoneyState = 'NONE' | 'ASKED' | 'HELD' | 'RELEASED' | 'CAPTURING' | 'CAPTURED' | 'PAID' | 'RETURNED';

export interface MoneyTerms {
  /** The account that pays. */
  readonly accountId: string;
  readonly amountMinor: bigint;
  readonly unit: string;
  /** The account that is paid when the reservation is completed. */
  readonly payeeAccountId: string;
}

/** What a number asks of accounts. */
export type MoneyOrder =
  | { readonly kind: 'holdFunds' | 'releaseFunds' | 'captureFunds' | 'payFunds'; readonly number: string; readonly money: MoneyTerms }
  /** `returned`: the payee did not take it. */
  | { readonly kind: 'settleFunds'; readonly number: string; readonly money: MoneyTerms; readonly returned: boolean };

/** What an account has answered; an empty reason: it did what was asked. */
export interface MoneyAnswer {
  readonly kind: 'holdFunds' | 'captureFunds' | 'payFunds';
  readonly reason: string;
}

/** Without a change of the state of the reservation: what its identity need not learn. */
export interface MoneyStep {
  readonly event: ReservationEvent;
  readonly owes: readonly MoneyOrder[];
}

/** The money was asked to be taken from the account or to go to the payee, and the account or the payee has answered. */
export function moneyPaying({ number, money, moneyState }: Reservation, { kind, reason }: MoneyAnswer): MoneyStep | undefined {
  if (money === undefined) return undefined;
  if (kind === 'captureFunds' && moneyState === 'CAPTURING')
    return reason === ''
      ? { event: { kind: 'moneyCaptured' }, owes: [{ kind: 'payFunds', number, money }] }
      : { event: { kind: 'moneyReturned', reason }, owes: [{ kind: 'releaseFunds', number, money }] };
  if (kind === 'payFunds' && moneyState === 'CAPTURED') {
    const event: ReservationEvent = reason === '' ? { kind: 'moneyPaid' } : { kind: 'moneyReturned', reason };
    return { event, owes: [{ kind: 'settleFunds', number, money, returned: reason !== '' }] };
  }
  return undefined;
}
