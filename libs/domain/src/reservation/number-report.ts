/** What a number says to the identity that it is for. */
import type { ReservationState } from './reservation-state';

export interface NumberReport {
  readonly number: string;
  /** NONE: nothing is reserved under it, or it was asked for and has not answered. */
  readonly state: ReservationState;
  /** On the waiting list of its resource. */
  readonly waiting: boolean;
  /** Changes of the reservation so far: a report with a lower one is older. */
  readonly version: number;
  /** Of the commit in the number's partition that it is of; 0: none. */
  readonly sequence: number;
  /** Why it was rejected; empty unless it was. */
  readonly reason: string;
}

/** Answer of a number to its identity. */
export interface NumberAnswer {
  /** The number is another identity's. */
  readonly otherIdentity: boolean;
  /** The associate request was applied. */
  readonly associated: boolean;
  readonly report: NumberReport;
}
