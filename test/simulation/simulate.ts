/**
 * One seed: a deployment under faults, then calm, then judged. The same seed gives the same run, event by event.
 */
import { SIMULATED_CAPABILITIES } from './capabilities.generated';
import { defectNamed } from './defects';
import type { VerificationProgress } from '@sluice/projector';
import { Cluster } from './world/cluster';
import { Deployment, type Workload } from './world/deployment';
import { describeFaults } from './world/fault-plan';
import { installGlobals } from './world/globals';
import { Nemesis } from './world/nemesis';
import { describeRun, drawRunPlan } from './world/run-plan';
import { World } from './world/world';

/** Simulated time with faults. */
const FAULTS_US = 8_000_000;
/** Simulated time in which a calm deployment answers everything. */
const CALM_LIMIT_US = 60_000_000;
/** The clocks of two owners may be two minutes apart: a hold expires by the clock of its owner. */
const JUDGE_LIMIT_US = 200_000_000;

const WORKLOADS = new Map(SIMULATED_CAPABILITIES.flatMap((capability) => Object.entries(capability.workloads)));

export interface Outcome {
  readonly seed: number;
  readonly breaches: readonly string[];
  readonly faults: string;
  readonly events: number;
  readonly simulatedMs: number;
  /** The same for two runs of one seed. */
  readonly digest: string;
  readonly trace: readonly string[];
}

export interface SimulationOptions {
  readonly seed: number;
  /** Keep every line of the trace. */
  readonly traceEverything?: boolean;
  /** Planted before the run and taken out after it. */
  readonly defect?: string;
}

export async function simulate(options: SimulationOptions): Promise<Outcome> {
  const world = new World(options.seed, options);
  const restore = installGlobals(world.timeline, world.random.fork('runtime'));
  const faults = describeFaults(world.faults);
  const { stackTraceLimit } = Error;
  // Thousands of errors are made on purpose, and a stack costs more than anything else about them.
  if (options.traceEverything !== true) Error.stackTraceLimit = 0;
  const defect = options.defect === undefined ? undefined : defectNamed(options.defect);
  const takeOut = defect?.plant();
  try {
    await run(world, defect?.workload);
  } catch (error) {
    world.breach(`the simulation itself failed: ${error instanceof Error ? error.stack : String(error)}`);
  } finally {
    takeOut?.();
    restore();
    Error.stackTraceLimit = stackTraceLimit;
  }
  return {
    seed: options.seed,
    breaches: world.breaches,
    faults,
    events: world.timeline.eventCount,
    simulatedMs: Math.round(world.timeline.nowUs / 1_000),
    digest: world.trace.digest(),
    trace: world.trace.lines,
  };
}

async function run(world: World, wanted: string | undefined): Promise<void> {
  const { timeline, trace } = world;
  trace.note('world', describeFaults(world.faults));
  const cluster = new Cluster(world);
  const plan = drawRunPlan(world.random.fork('run plan'), [...WORKLOADS.keys()], wanted);
  trace.note('world', describeRun(plan));
  const deployment = new Deployment(world, cluster, plan);
  cluster.start(plan.instances);
  const workloads = plan.workloads.flatMap((name) => WORKLOADS.get(name)?.(deployment) ?? []);
  for (const workload of workloads) workload.begin();
  const nemesis = new Nemesis(world, cluster);
  const done = (): boolean => workloads.every((workload) => workload.done) || world.breaches.length > 0;
  await timeline.runUntil(done, FAULTS_US);
  nemesis.stop();
  world.calmDown();
  trace.note('world', 'is calm');
  if (!(await timeline.runUntil(done, timeline.nowUs + CALM_LIMIT_US))) {
    world.breach(`callers still wait after ${CALM_LIMIT_US / 1_000_000} s without faults: ${workloads.map(({ progress }) => progress).join('; ')}`);
  }
  if (world.breaches.length > 0) return;
  let judged = false;
  const judging = judgeAll(deployment, workloads).then(
    () => (judged = true),
    (error: unknown) => world.breach(`what is there cannot be judged: ${error instanceof Error ? error.stack : String(error)}`),
  );
  if (!(await timeline.runUntil(() => judged || world.breaches.length > 0, timeline.nowUs + JUDGE_LIMIT_US))) world.breach('judging does not end');
  if (judged) await judging;
}

/** One after the other, the last first; then the read store as a whole. */
async function judgeAll(deployment: Deployment, workloads: readonly Workload[]): Promise<void> {
  for (const workload of [...workloads].reverse()) await workload.judge();
  await judgeReadStore(deployment);
}

/** By the projector's own verification, which covers every capability. */
async function judgeReadStore({ world, cluster }: Deployment): Promise<void> {
  const judge = await cluster.judge();
  let last: VerificationProgress | undefined;
  await judge.control.verifyAll((progress) => (last = progress), new AbortController().signal);
  if (last?.equal !== true) world.breach(`the read store is not the fold of the log: ${last?.differences.join('; ')}`);
  await judge.stop();
}
