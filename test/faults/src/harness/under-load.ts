/**
 * A fault at load: real processes and servers, callers that post all the time, the fault, a while more of load, and then the
 * judgement: nothing lost, nothing doubled, log = read store, no gap in service above 5 s, lag below 1 s, one scheduler acts.
 * Skipped, with the reason on standard error, where a server cannot be had.
 *
 * The two promises of seconds hold on a machine that has the processor for them. So they are measured by a clock that stands still while the machine
 * does not run the test, they are longer where more wants to run than a machine of the tests ever has, and where only they are broken the fault happens once
 * more, to a new deployment: a service that is too slow is so again.
 * Everything else must hold each time.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { availableParallelism, loadavg } from 'node:os';
import { type Distributed, type DistributedOptions, type ServiceChild, startDistributed } from '@sluice/distributed';
import { haveServer } from '@sluice/infra';
import {
  complaintsOf,
  type Freshness,
  judge,
  leaseHolders,
  Load,
  type LoadOptions,
  PLAIN_ACCESS,
  ProcessLines,
  ReadLag,
  ServiceCalls,
  ServiceGaps,
  UnstalledClock,
  until,
} from '@sluice/judged-load';

/** Against a test that hangs, also on a machine where everything takes several times as long. */
const TEST_LIMIT_MS = 300_000;
const ATTEMPTS = 2;
const LAST_LINES = 60;
const WARM_UP_POSTINGS = 400;
const AFTERWARDS_POSTINGS = 400;
export const DEPLOYMENT = 'main';
/** As promised, for every fault. */
const GAP_LIMIT_MS = 5_000;
const LAG_LIMIT_MS = 1_000;
/** What wants to run per processor, up to which the promises are held to as they stand: twice what the tests themselves bring about. */
const CROWD_PER_PROCESSOR = 8;
/** So long every sample has to be below the limit. */
const LAG_BELOW_FOR_MS = 1_000;
/** A fault is over when the lag is below its limit; it has to be within this time. */
const LAG_SETTLES_WITHIN_MS = 10_000;
const NS_PER_MS = 1e6;

/** Partitions of the log under test. */
export const PARTITIONS = 4;
const PARTITION_LEASES = Array.from({ length: PARTITIONS }, (_, partition) => `command/${partition}`);

export interface Scene {
  readonly distributed: Distributed;
  readonly load: Load;
  readonly gaps: ServiceGaps;
  readonly lines: ProcessLines;
  readonly calls: ServiceCalls;
  /** Further callers of the same accounts; their request ids begin with the name. */
  anotherLoad(name: string): Load;
  readonly command: readonly ServiceChild[];
  readonly query: readonly ServiceChild[];
  readonly projector: readonly ServiceChild[];
  readonly scheduler: readonly ServiceChild[];
  /** Name of the process that holds the lease: "command/0", "projector/3". Undefined: none does. */
  holderOf(lease: string): Promise<string | undefined>;
  /** Names of the command instances that own the partitions, in the order of these. Undefined: none does. */
  owners(): Promise<(string | undefined)[]>;
  /** The instance that owns the partition. */
  ownerOf(partition: number): Promise<ServiceChild>;
  /** No gap in service is counted meanwhile: something is away that every instance needs. */
  withoutService(work: () => Promise<void>): Promise<void>;
}

type DeploymentOptions = Pick<DistributedOptions, 'counts' | 'environment' | 'environmentOf' | 'natsConfiguration' | 'credentials'>;

export interface LoadedOptions {
  /** False: the test stops the load itself, nothing more is posted. */
  readonly afterwards?: boolean;
  /** False: the instances do not share the partitions evenly, so that nothing waits for it beforehand. */
  readonly spread?: boolean;
  /** False: the test judges what was written and projected for itself. */
  readonly judged?: boolean;
  /** How the callers behave, and what they show. */
  readonly load?: Pick<LoadOptions, 'access' | 'attemptLimitMs' | 'betweenBatchesMs' | 'verdictLimitMs'>;
  /** Instances that the callers know; default: all. */
  readonly calledInstances?: (command: readonly ServiceChild[]) => readonly ServiceChild[];
  readonly timeLimitMs?: number;
}

/** What is broken is a promise of seconds, and nothing else. */
class TooSlowError extends Error {}

export interface FaultOptions extends DeploymentOptions, LoadedOptions {}

/** A fault after which the deployment is as it was before, so that it can be one of several in the life of a deployment. */
export interface Fault {
  readonly name: string;
  readonly options?: LoadedOptions;
  readonly run: (scene: Scene) => Promise<void>;
}

const possible = haveServer('nats') && haveServer('mongodb');
const COUNTS = { command: 2, projector: 1, query: 1, scheduler: 1 };

/** The fault happens while the load runs; afterwards everything must be whole. */
export function testFault(name: string, options: FaultOptions, fault: (scene: Scene) => Promise<void>): void {
  const { timeLimitMs = TEST_LIMIT_MS } = options;
  const inItsOwnDeployment = async (): Promise<void> => {
    const deployment = await startDeployment(options);
    try {
      await underLoad(deployment, { name, options, run: fault });
    } finally {
      await deployment.distributed.stop();
    }
  };
  testAttempts(name, inItsOwnDeployment, timeLimitMs);
}

/** The faults happen one after the other in the life of one deployment. After one that fails, the next begins with a new deployment. */
export function testFaults(options: DeploymentOptions, faults: readonly Fault[]): void {
  let deployment: Deployment | undefined;
  afterAll(() => deployment?.distributed.stop(), TEST_LIMIT_MS);
  for (const fault of faults) {
    const { timeLimitMs = TEST_LIMIT_MS } = fault.options ?? {};
    const inTheSharedDeployment = async (): Promise<void> => {
      const used = deployment ?? (await startDeployment(options));
      deployment = undefined;
      try {
        await underLoad(used, fault);
        deployment = used;
      } finally {
        if (deployment === undefined) await used.distributed.stop();
      }
    };
    testAttempts(fault.name, inTheSharedDeployment, timeLimitMs);
  }
}

function testAttempts(name: string, attempt: () => Promise<void>, limitMs: number): void {
  const untilInTime = async (): Promise<void> => {
    for (let left = ATTEMPTS - 1; ; left -= 1) {
      try {
        return await attempt();
      } catch (error) {
        if (!(error instanceof TooSlowError) || left === 0) throw error;
        process.stderr.write(`${name}: once more, with a new deployment: ${error.message.split('\n')[0]}\n`);
      }
    }
  };
  (possible ? test : test.skip)(name, untilInTime, limitMs * ATTEMPTS);
}

interface Deployment {
  readonly distributed: Distributed;
  readonly lines: ProcessLines;
  /** Of all tests so far: what they had acknowledged is judged again after each fault. */
  readonly loads: Load[];
}

async function startDeployment(options: DeploymentOptions): Promise<Deployment> {
  const lines = new ProcessLines();
  const distributed = await startDistributed({
    external: false,
    ...options,
    counts: { ...COUNTS, ...options.counts },
    environment: {
      SLUICE_SERVERS: '1',
      SLUICE_CONTAINERS: String(PARTITIONS),
      SLUICE_DEPLOYMENT: DEPLOYMENT,
      SLUICE_LOG_LEVEL: 'warn',
      ...options.environment,
    },
    onLine: (process, line) => lines.add(process, line),
  });
  return { distributed, lines, loads: [] };
}

async function underLoad(deployment: Deployment, { name, options = {}, run }: Fault): Promise<void> {
  const { lines } = deployment;
  const loads: Load[] = [];
  const stalls = monitorEventLoopDelay({ resolution: 10 });
  stalls.enable();
  const clock = new UnstalledClock();
  try {
    const scene = sceneOf(deployment, options, loads, clock);
    const { load, gaps, lag } = scene;
    // What the start, or the fault before, set in motion is over.
    if (options.spread !== false) await until('the partitions are evenly spread', () => evenlySpread(scene));
    await load.open();
    load.start();
    await load.more(WARM_UP_POSTINGS);
    gaps.restart();
    const slownessBefore = slowness();
    await run(scene);
    const slow = Math.max(slownessBefore, slowness());
    const [gapLimitMs, lagLimitMs] = [GAP_LIMIT_MS * slow, LAG_LIMIT_MS * slow];
    let freshness: Freshness | undefined;
    if (options.afterwards !== false) {
      await load.more(AFTERWARDS_POSTINGS);
      if (scene.query.length > 0) freshness = await lag.untilFresh({ belowMs: lagLimitMs, forMs: LAG_BELOW_FOR_MS, limitMs: LAG_SETTLES_WITHIN_MS * slow });
    }
    await load.stop();
    const figures = figuresOf(gaps, freshness, lagLimitMs, stalls.max / NS_PER_MS);
    process.stderr.write(`${name}: ${figures}\n`);
    const gapMs = gaps.longest?.lengthMs ?? 0;
    expect(await judged(scene, deployment.loads, loads, options)).toEqual([]);
    if (gapMs > gapLimitMs) throw new TooSlowError(`a gap in service of ${Math.round(gapMs)} ms, ${Math.round(gapLimitMs)} are allowed: ${figures}`);
    if (freshness !== undefined && freshness.afterMs === undefined)
      throw new TooSlowError(`the lag does not stay below ${Math.round(lagLimitMs)} ms: ${figures}`);
  } catch (error) {
    if (error instanceof Error) error.message += `\n\nThe processes said last:\n${lines.last(LAST_LINES).join('\n')}`;
    throw error;
  } finally {
    stalls.disable();
    clock.stop();
    for (const started of loads) started.abandon();
    deployment.loads.push(...loads);
  }
}

/** How many times as long as on a machine of the tests everything may take; 1: not longer. */
function slowness(): number {
  return Math.max(1, (loadavg()[0] ?? 0) / availableParallelism() / CROWD_PER_PROCESSOR);
}

function sceneOf(
  { distributed, lines, loads: earlier }: Deployment,
  options: LoadedOptions,
  loads: Load[],
  clock: UnstalledClock,
): Scene & { readonly lag: ReadLag } {
  const access = options.load?.access ?? PLAIN_ACCESS;
  const calls = new ServiceCalls({ access });
  const nowMs = (): number => clock.nowMs();
  const gaps = new ServiceGaps(PARTITIONS, nowMs);
  const [command, query, projector, scheduler] = (['command', 'query', 'projector', 'scheduler'] as const).map((service) => distributed.of(service));
  const running = (children: readonly ServiceChild[]): string[] => children.filter(({ pid }) => pid !== undefined).map(({ address }) => address);
  const lag = new ReadLag({ calls, queryAddresses: () => running(query ?? []), nowMs });
  const observers = [{ tried: ofPartition(gaps, 'tried'), acknowledged: ofPartition(gaps, 'acknowledged'), finished: ofPartition(gaps, 'finished') }, lag];
  const anotherLoad = (called: string): Load => {
    const instances = (options.calledInstances ?? ((all) => all))(command ?? []);
    const commandAddresses = instances.map(({ address }) => address);
    const number = earlier.length;
    const accounts = ACCOUNTS.map((account) => (number === 0 ? account : `${account}-${number}`));
    const load = new Load({
      ...options.load,
      name: number === 0 ? called : `${called}-${number}`,
      commandAddresses,
      accounts,
      partitions: PARTITIONS,
      observers,
    });
    loads.push(load);
    return load;
  };
  const holdersOf = (leases: readonly string[]): Promise<(string | undefined)[]> =>
    leaseHolders({ natsUrl: distributed.nats.url, deployment: DEPLOYMENT }, leases);
  const holderOf = async (lease: string): Promise<string | undefined> => (await holdersOf([lease]))[0];
  return {
    distributed,
    load: anotherLoad('first'),
    gaps,
    lag,
    lines,
    calls,
    anotherLoad,
    command: command ?? [],
    query: query ?? [],
    projector: projector ?? [],
    scheduler: scheduler ?? [],
    holderOf,
    owners: () => holdersOf(PARTITION_LEASES),
    ownerOf: async (partition) => {
      const holder = await holderOf(`command/${partition}`);
      const owner = command?.find((child) => child.name === holder);
      if (owner === undefined) throw new Error(`partition ${partition} has no owner`);
      return owner;
    },
    withoutService: async (work) => {
      const resume = gaps.suspendAll();
      try {
        await work();
      } finally {
        resume();
      }
    },
  };
}

function ofPartition(gaps: ServiceGaps, event: 'tried' | 'acknowledged' | 'finished'): (account: string, partition: number) => void {
  return (_account, partition) => gaps[event](partition);
}

async function judged(
  { calls, query, projector, scheduler }: Scene,
  earlier: readonly Load[],
  loads: readonly Load[],
  { judged: wanted }: LoadedOptions,
): Promise<string[]> {
  if (scheduler.length > 0) await until('exactly one scheduler acts', async () => (await actingSchedulers(calls, scheduler)).length === 1);
  if (wanted === false) return [];
  const [first, ...others] = loads;
  if (first === undefined || others.length > 0) throw new Error('a test with several loads judges them itself');
  return complaintsOf(await judge([...earlier, first], calls, { query: firstRunning(query), projector: firstRunning(projector) }));
}

/** Names of the schedulers that say that they act. */
export async function actingSchedulers(calls: ServiceCalls, scheduler: readonly ServiceChild[]): Promise<string[]> {
  const running = scheduler.filter(({ pid }) => pid !== undefined);
  const statuses = await Promise.all(running.map(({ address }) => calls.schedulerStatus(address)));
  return statuses.filter(({ active }) => active).map(({ instanceId }) => instanceId);
}

function figuresOf(gaps: ServiceGaps, freshness: Freshness | undefined, lagLimitMs: number, stallMs: number): string {
  const { longest } = gaps;
  const whole = (milliseconds: number | undefined): string => (milliseconds === undefined ? 'unknown' : `${Math.round(milliseconds)} ms`);
  const lag =
    freshness === undefined
      ? 'lag not measured'
      : `lag below ${whole(lagLimitMs)} ${freshness.afterMs === undefined ? 'never' : `after ${whole(freshness.afterMs)}`}, at worst ${whole(freshness.worstMs)}, at last ${whole(freshness.lastMs)}`;
  const machine = `this test itself stalled for up to ${whole(stallMs)}, load average ${loadavg()[0]?.toFixed(1)}`;
  return `longest gap in service ${whole(longest?.lengthMs ?? 0)}${longest === undefined ? '' : ` at partition ${longest.partition}`}; ${lag}; ${machine}`;
}

function firstRunning(children: readonly ServiceChild[]): string {
  const child = children.find(({ pid }) => pid !== undefined);
  if (child === undefined) throw new Error('none of them runs');
  return child.address;
}

/** Two in each of the four partitions. */
const ACCOUNTS = ['l', 'm', 'b', 'c', 'a', 'g', 'd', 'e'].map((name) => `{${name}}-account`);

/** Every partition has an owner, and no command instance owns more than one partition more than another. */
export async function evenlySpread({ owners, command }: Scene): Promise<boolean> {
  const names = await owners();
  const owned = command.map(({ name }) => names.filter((owner) => owner === name).length);
  return !names.includes(undefined) && Math.max(...owned) - Math.min(...owned) <= 1;
}
