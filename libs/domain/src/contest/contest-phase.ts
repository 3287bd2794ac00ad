/**
 * Where a contest stands, and what leads on.
 *
 *   phase        CREATE   JOIN  ASK_FUND  FUND_REFUSED  START    SCORE  END_ROUND    ROUND_RECONCILED  WINNERS_NAMED  BEGIN_REWARDS  REWARDS_SETTLED  CANCEL
 *   NONE         CREATED  -     -         -             -        -      -            -                 -              -              -                -
 *   CREATED      -        yes   STARTING  -             RUNNING  -      -            -                 -              -              -                CANCELLED
 *   STARTING     -        yes   -         CREATED       RUNNING  -      -            -                 -              -              -                CANCELLED
 *   RUNNING      -        yes   -         -             -        yes    RECONCILING  -                 -              -              -                CANCELLED
 *   RECONCILING  -        yes   -         -             -        -      -            RUNNING           ENDED          REWARDING      -                CANCELLED
 *   REWARDING    -        -     -         -             -        -      -            -                 -              -              ENDED            -
 *   ENDED        -        -     -         -             -        -      -            -                 -              -              -                -
 *   CANCELLED    -        -     -         -             -        -      -            -                 -              -              -                -
 *
 * A contest with a reward is started by ASK_FUND, and START follows when its fund has given the largest payout. ROUND_RECONCILED is a reconciled
 * round behind which another one starts. Behind the last one comes WINNERS_NAMED, or BEGIN_REWARDS where the contest holds money of a fund.
 */
export const CONTEST_PHASES = ['NONE', 'CREATED', 'STARTING', 'RUNNING', 'RECONCILING', 'REWARDING', 'ENDED', 'CANCELLED'] as const;
export type ContestPhase = (typeof CONTEST_PHASES)[number];

export const CONTEST_STEPS = [
  'CREATE',
  'JOIN',
  'ASK_FUND',
  'FUND_REFUSED',
  'START',
  'SCORE',
  'END_ROUND',
  'ROUND_RECONCILED',
  'WINNERS_NAMED',
  'BEGIN_REWARDS',
  'REWARDS_SETTLED',
  'CANCEL',
] as const;
export type ContestStep = (typeof CONTEST_STEPS)[number];

const NEXT: Readonly<Record<ContestPhase, Readonly<Partial<Record<ContestStep, ContestPhase>>>>> = {
  NONE: { CREATE: 'CREATED' },
  CREATED: { JOIN: 'CREATED', ASK_FUND: 'STARTING', START: 'RUNNING', CANCEL: 'CANCELLED' },
  STARTING: { JOIN: 'STARTING', FUND_REFUSED: 'CREATED', START: 'RUNNING', CANCEL: 'CANCELLED' },
  RUNNING: { JOIN: 'RUNNING', SCORE: 'RUNNING', END_ROUND: 'RECONCILING', CANCEL: 'CANCELLED' },
  RECONCILING: { JOIN: 'RECONCILING', ROUND_RECONCILED: 'RUNNING', WINNERS_NAMED: 'ENDED', BEGIN_REWARDS: 'REWARDING', CANCEL: 'CANCELLED' },
  REWARDING: { REWARDS_SETTLED: 'ENDED' },
  ENDED: {},
  CANCELLED: {},
};

/** Undefined: the step is not possible in the phase. */
export function nextPhase(phase: ContestPhase, step: ContestStep): ContestPhase | undefined {
  return NEXT[phase][step];
}
