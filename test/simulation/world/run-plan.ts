/**
 * How much a seed does, drawn from it. Many short runs meet more different histories in the same processor time than few long ones. Most seeds have some kinds of
 * callers only, so that what one kind does to the deployment does not hide what happens to another.
 */
import type { InstanceKind } from './cluster';
import type { Random } from './random';

export interface RunPlan {
  /** Of its script each caller goes through this share. */
  readonly share: number;
  /** Names of the workloads that take part, in their order. */
  readonly workloads: readonly string[];
  /** Instances of each kind. */
  readonly instances: Readonly<Record<InstanceKind, number>>;
}

const SHARES = [0.1, 0.2, 0.2, 0.35, 1];
/** The probability with which a workload takes part beside the one that does in any case. */
const BESIDE = 0.35;

/** @param wanted the workload that takes part in any case; undefined: one that is drawn. */
export function drawRunPlan(random: Random, workloads: readonly string[], wanted?: string): RunPlan {
  const drawn = random.pick(workloads);
  const first = wanted ?? drawn;
  return {
    share: random.pick(SHARES),
    workloads: workloads.filter((name) => random.chance(BESIDE) || name === first),
    instances: { command: random.pick([2, 3, 3]), projector: random.between(1, 2), query: random.between(1, 2), scheduler: random.between(1, 2) },
  };
}

/** "20 % of postings, tasks; 3 command, 1 projector, 2 query, 1 scheduler". */
export function describeRun({ share, workloads, instances }: RunPlan): string {
  const counts = Object.entries(instances).map(([kind, count]) => `${count} ${kind}`);
  return `${Math.round(share * 100)} % of ${workloads.join(', ')}; ${counts.join(', ')}`;
}
