/**
 * How unkind the world is: probabilities and ranges, drawn once per seed, so that some runs have slow disks, others lossy networks, and
 * some have everything at once. `calm()` is the world after the faults: what is judged must hold there.
 */
import type { Random } from './random';

export interface FaultPlan {
  /** An append fails and nothing is stored. */
  readonly appendFails: number;
  /** An append is stored, and its writer hears of a failure. */
  readonly appendAnswerLost: number;
  /** An append fails for its writer and may be stored later, long after the answer. */
  readonly appendHangs: number;
  readonly logReadFails: number;
  readonly readStoreFails: number;
  /** A write of the read store is applied, and its writer hears of a failure. */
  readonly readStoreAnswerLost: number;
  readonly snapshotFails: number;
  readonly busLoses: number;
  readonly busRepeats: number;
  readonly busReorders: number;
  readonly leaseFails: number;
  /** A request between two hosts is lost. */
  readonly requestLost: number;
  /** The answer of a request between two hosts is lost. */
  readonly answerLost: number;
  readonly requestRepeated: number;
  /** Typical latencies, microseconds. */
  readonly diskUs: number;
  readonly networkUs: number;
  /** Largest difference between a host's clock and true time, microseconds. */
  readonly skewUs: number;
  /** Mean time between two crashes, microseconds; 0: none. */
  readonly crashEveryUs: number;
  readonly pauseEveryUs: number;
  readonly cutEveryUs: number;
}

export const CALM: FaultPlan = {
  appendFails: 0,
  appendAnswerLost: 0,
  appendHangs: 0,
  logReadFails: 0,
  readStoreFails: 0,
  readStoreAnswerLost: 0,
  snapshotFails: 0,
  busLoses: 0,
  busRepeats: 0,
  busReorders: 0,
  leaseFails: 0,
  requestLost: 0,
  answerLost: 0,
  requestRepeated: 0,
  diskUs: 200,
  networkUs: 100,
  skewUs: 0,
  crashEveryUs: 0,
  pauseEveryUs: 0,
  cutEveryUs: 0,
};

/** Each kind of fault is absent in half of the runs, so that rare ones are not hidden behind frequent ones. */
export function drawFaultPlan(random: Random): FaultPlan {
  const some = (most: number): number => (random.chance(0.5) ? 0 : random.next() * most);
  return {
    appendFails: some(0.05),
    appendAnswerLost: some(0.05),
    appendHangs: some(0.03),
    logReadFails: some(0.05),
    readStoreFails: some(0.05),
    readStoreAnswerLost: some(0.05),
    snapshotFails: some(0.1),
    busLoses: some(0.2),
    busRepeats: some(0.2),
    busReorders: some(0.3),
    leaseFails: some(0.1),
    requestLost: some(0.05),
    answerLost: some(0.1),
    requestRepeated: some(0.05),
    diskUs: random.pick([100, 1_000, 5_000, 30_000]),
    networkUs: random.pick([50, 500, 5_000]),
    skewUs: random.chance(0.5) ? 0 : random.pick([5_000, 500_000, 60_000_000]),
    crashEveryUs: random.chance(0.4) ? 0 : random.pick([700_000, 2_000_000, 6_000_000]),
    pauseEveryUs: random.chance(0.6) ? 0 : random.pick([1_500_000, 4_000_000]),
    cutEveryUs: random.chance(0.6) ? 0 : random.pick([1_500_000, 4_000_000]),
  };
}

/** The faults of a plan that are not zero, for people. */
export function describeFaults(plan: FaultPlan): string {
  return Object.entries(plan)
    .filter(([name, value]) => value !== (CALM as unknown as Record<string, number>)[name])
    .map(([name, value]) => `${name}=${(value as number) < 1 ? (value as number).toFixed(3) : String(value)}`)
    .join(' ');
}
