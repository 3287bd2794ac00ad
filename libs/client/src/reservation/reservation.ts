/** Reservations as users of the library see them. */
import type { SluiceError } from '../sluice-error';

/** Where a reservation stands. */
export const RESERVATION_STATES = ['PENDING', 'RESERVED', 'ASSOCIATED', 'COMPLETED', 'REJECTED', 'CANCELLED', 'EXPIRED'] as const;
export type ReservationState = (typeof RESERVATION_STATES)[number];

/** Where an associate request stands. */
export const ASSOCIATE_STATES = ['PENDING', 'PARKED', 'ASSOCIATED', 'REJECTED', 'EXPIRED'] as const;
export type AssociateState = (typeof ASSOCIATE_STATES)[number];

/** Money that an account holds until the reservation is completed or over. */
export interface MoneyHold {
  /** The account that pays. Its postings must not be signed. */
  readonly accountId: string;
  /** In minor units; above 0. */
  readonly amountMinor: bigint;
  readonly unit: string;
  /** The account that is paid when the reservation is completed. */
  readonly payeeAccountId: string;
}

export interface ReserveInput {
  /** For whom. */
  readonly identityId: string;
  /** The number of the reservation. It is used once. */
  readonly number: string;
  /** The resource whose places it takes. Default: none. */
  readonly resourceId?: string | undefined;
  /** Default 1. */
  readonly places?: number | undefined;
  /** Where the resource is full: wait in order of arrival. Default: be rejected. */
  readonly waitForPlace?: boolean | undefined;
  /** When it expires unless it is associated. Default: never. */
  readonly expiresAt?: Date | undefined;
  /** Default: none. */
  readonly money?: MoneyHold | undefined;
  /** Free text for people; at most 256 bytes. */
  readonly note?: string | undefined;
  /** The caller's id of this request, unique in the identity for ever; made when not given. */
  readonly requestId?: string | undefined;
}

/** What every reply to a command has. */
interface Reply {
  readonly requestId: string;
  /** True: this request was accepted before. */
  readonly repeated: boolean;
  /** Covers this command; a query that carries it answers from data at least this new. */
  readonly positionToken: string;
}

/** A reservation that was accepted, and where it stands. */
export interface Reserved extends Reply {
  readonly identityId: string;
  readonly number: string;
  /** Undefined: the identity has forgotten the number, because 64 others were over later. */
  readonly state: ReservationState | undefined;
  /** True: it is on the waiting list of its resource. */
  readonly waiting: boolean;
  /** Why it is REJECTED. */
  readonly reason: string;
}

/** One reservation of a batch: where it stands, or why it was refused. */
export type ReserveOutcome =
  | { readonly requestId: string; readonly number: string; readonly result: Reserved; readonly error?: undefined }
  | { readonly requestId: string; readonly number: string; readonly result?: undefined; readonly error: SluiceError };

export interface AssociateInput {
  readonly identityId: string;
  /** Default: the first number of the identity, in order of reservation, that is RESERVED. */
  readonly number?: string | undefined;
  /** How long it may wait for a number, in milliseconds. Default: one hour. */
  readonly parkMs?: number | undefined;
  /** Free text for people; at most 256 bytes. */
  readonly note?: string | undefined;
  /** The caller's id of this request, unique in the identity for ever; made when not given. */
  readonly requestId?: string | undefined;
}

/** An associate request that was accepted, and where it stands. */
export interface Associated extends Reply {
  readonly identityId: string;
  /** Undefined: the identity has forgotten the request, because 64 others were over later. */
  readonly state: AssociateState | undefined;
  /** The number that it is applied to; empty unless it is ASSOCIATED. */
  readonly number: string;
  /** Why it is REJECTED or EXPIRED. */
  readonly reason: string;
}

/** One associate request of a batch: where it stands, or why it was refused. */
export type AssociateOutcome =
  | { readonly requestId: string; readonly identityId: string; readonly result: Associated; readonly error?: undefined }
  | { readonly requestId: string; readonly identityId: string; readonly result?: undefined; readonly error: SluiceError };

export interface ReservationChange {
  /** The identity that the number must belong to. Default: any. */
  readonly identityId?: string | undefined;
  /** Free text for people; at most 256 bytes. */
  readonly note?: string | undefined;
  /** The caller's id of this request, unique in the number for ever; made when not given. */
  readonly requestId?: string | undefined;
}

export interface ReservationChanged extends Reply {
  readonly number: string;
}

export interface CapacitySet extends Reply {
  readonly resourceId: string;
  /** Places that are taken, those included that the waiting list got by this request. */
  readonly taken: number;
  /** Reservations that still wait. */
  readonly waiting: number;
}
