/**
 * Where a reservation stands, and what leads on.
 *
 *   state       RESERVE   ASK      OBTAIN    REJECT    ASSOCIATE   COMPLETE   CANCEL     EXPIRE   EXTEND
 *   NONE        RESERVED  PENDING  -         -         -           -          -          -        -
 *   PENDING     -         -        RESERVED  REJECTED  -           -          CANCELLED  EXPIRED  yes
 *   RESERVED    -         -        -         -         ASSOCIATED  -          CANCELLED  EXPIRED  yes
 *   ASSOCIATED  -         -        -         -         -           COMPLETED  CANCELLED  -        -
 *   others      -         -        -         -         -           -          -          -        -
 *
 * ASK is a reservation that wants places of a resource, or money of an account. A number that is COMPLETED, REJECTED, CANCELLED or EXPIRED stays so.
 */
export const RESERVATION_STATES = ['NONE', 'PENDING', 'RESERVED', 'ASSOCIATED', 'COMPLETED', 'REJECTED', 'CANCELLED', 'EXPIRED'] as const;
export type ReservationState = (typeof RESERVATION_STATES)[number];

export const RESERVATION_STEPS = ['RESERVE', 'ASK', 'OBTAIN', 'REJECT', 'ASSOCIATE', 'COMPLETE', 'CANCEL', 'EXPIRE', 'EXTEND'] as const;
export type ReservationStep = (typeof RESERVATION_STEPS)[number];

const NEXT: Readonly<Record<ReservationState, Readonly<Partial<Record<ReservationStep, ReservationState>>>>> = {
  NONE: { RESERVE: 'RESERVED', ASK: 'PENDING' },
  PENDING: { OBTAIN: 'RESERVED', REJECT: 'REJECTED', CANCEL: 'CANCELLED', EXPIRE: 'EXPIRED', EXTEND: 'PENDING' },
  RESERVED: { ASSOCIATE: 'ASSOCIATED', CANCEL: 'CANCELLED', EXPIRE: 'EXPIRED', EXTEND: 'RESERVED' },
  ASSOCIATED: { COMPLETE: 'COMPLETED', CANCEL: 'CANCELLED' },
  COMPLETED: {},
  REJECTED: {},
  CANCELLED: {},
  EXPIRED: {},
};

/** Undefined: the step is not possible in the state. */
export function nextState(state: ReservationState, step: ReservationStep): ReservationState | undefined {
  return NEXT[state][step];
}

/** Whether nothing can happen to it any more. */
export function isOver(state: ReservationState): state is 'COMPLETED' | 'REJECTED' | 'CANCELLED' | 'EXPIRED' {
  return state !== 'NONE' && Object.keys(NEXT[state]).length === 0;
}
