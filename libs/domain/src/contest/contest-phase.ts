/**
 * Where a contest stands, and what leads on.
 *
 *   phase        CREATE   JOIN  START    SCORE  END_ROUND    ROUND_RECONCILED  WINNERS_NAMED  CANCEL
 *   NONE         CREATED  -     -        -      -            -                 -              -
 *   CREATED      -        yes   RUNNING  -      -            -                 -              CANCELLED
 *   RUNNING      -        yes   -        yes    RECONCILING  -                 -              CANCELLED
 *   RECONCILING  -        yes   -        -      -            RUNNING           ENDED          CANCELLED
 *   ENDED        -        -     -        -      -            -                 -              -
 *   CANCELLED    -        -     -        -      -            -                 -              -
 *
 * ROUND_RECONCILED is a reconciled round behind which another one starts; WINNERS_NAMED one behind which none does.
 */
export const CONTEST_PHASES = ['NONE', 'CREATED', 'RUNNING', 'RECONCILING', 'ENDED', 'CANCELLED'] as const;
export type ContestPhase = (typeof CONTEST_PHASES)[number];

export const CONTEST_STEPS = ['CREATE', 'JOIN', 'START', 'SCORE', 'END_ROUND', 'ROUND_RECONCILED', 'WINNERS_NAMED', 'CANCEL'] as const;
export type ContestStep = (typeof CONTEST_STEPS)[number];

const NEXT: Readonly<Record<ContestPhase, Readonly<Partial<Record<ContestStep, ContestPhase>>>>> = {
  NONE: { CREATE: 'CREATED' },
  CREATED: { JOIN: 'CREATED', START: 'RUNNING', CANCEL: 'CANCELLED' },
  RUNNING: { JOIN: 'RUNNING', SCORE: 'RUNNING', END_ROUND: 'RECONCILING', CANCEL: 'CANCELLED' },
  RECONCILING: { JOIN: 'RECONCILING', ROUND_RECONCILED: 'RUNNING', WINNERS_NAMED: 'ENDED', CANCEL: 'CANCELLED' },
  ENDED: {},
  CANCELLED: {},
};

/** Undefined: the step is not possible in the phase. */
export function nextPhase(phase: ContestPhase, step: ContestStep): ContestPhase | undefined {
  return NEXT[phase][step];
}
