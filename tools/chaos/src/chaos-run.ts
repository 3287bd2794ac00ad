/**
 * One run: a deployment, callers, the lanes of the plan side by side, and the judgement of what is left.
 *
 *   starting ──► faults ──time is up, or asked to stop──► everything is brought back ──► judged ──► stopped
 */
import { join } from 'node:path';
import { type Distributed, type ServiceChild, startDistributed } from '@sluice/distributed';
import { complaintsOf, judge, type Judgement, Load, ReadLag, ServiceCalls, ServiceGaps, spreadAccounts } from '@sluice/judged-load';
import { Availability } from './availability';
import { LAG_LIMIT_MS, LAG_SETTLES_WITHIN_MS, LagWatch } from './lag-watch';
import { LeaseWatch } from './lease-watch';
import { MemoryWatch } from './memory-watch';
import type { ChaosOptions } from './options';
import { type Lane, lanesOf } from './plan/plan';
import type { Step } from './plan/step';
import type { ProcessLogs } from './process-logs';
import { type ChaosReport, clock, type DoneStep } from './report';
import { castOf, type Target, targetsOf } from './target';

const COUNTS = { command: 3, projector: 2, query: 2, scheduler: 2 };
const PARTITIONS = 4;
const ACCOUNTS_PER_PARTITION = 2;
const DEPLOYMENT = 'chaos';
/** As much load as the stand-in for MongoDB still projects in time when its collections have grown for ten minutes. */
const BETWEEN_BATCHES_MS = 250;
/**
 * A caller whose instance hangs goes to the next one after this time. What it waits at an instance that is paused counts as a gap of
 * the partition, although others serve it: callers wait as briefly as the lease's term allows.
 */
const ATTEMPT_LIMIT_MS = 1_000;
const WARM_UP_POSTINGS = 400;
const AFTERWARDS_POSTINGS = 400;
const GAP_LIMIT_MS = 5_000;
/** A tenth of what a NATS server allows for a stream. */
const CONSUMERS_LIMIT = 100;
const STATUS_EVERY_MS = 1_000;
/** The log of ten minutes on the stand-in for MongoDB. */
const CAUGHT_UP_LIMIT_MS = 120_000;
const FOLD_LIMIT_MS = 600_000;

export interface ChaosRunOptions extends ChaosOptions {
  /** Where servers keep their data. */
  readonly folder: string;
  readonly processLogs: ProcessLogs;
  /** Aborts when the faults are to end. */
  readonly stopping: AbortSignal;
  /** What happens, a line that stays. */
  readonly line: (text: string) => void;
  /** How it stands, again and again. */
  readonly status: (text: string) => void;
}

export async function chaosRun(options: ChaosRunOptions): Promise<ChaosReport> {
  const { folder, processLogs, line } = options;
  const deaths: string[] = [];
  const distributed = await startDistributed({
    dataDir: join(folder, 'data'),
    external: false,
    counts: COUNTS,
    environment: { SLUICE_SERVERS: '1', SLUICE_CONTAINERS: String(PARTITIONS), SLUICE_DEPLOYMENT: DEPLOYMENT, SLUICE_LOG_LEVEL: 'info' },
    onLine: (process, text) => processLogs.add(process, text),
    onDeath: (child, how) => {
      deaths.push(`${child.name} ended by itself with ${how}`);
      line(`${child.name} ended by itself with ${how}; starting it again`);
      child.start().catch((error: unknown) => line((error as Error).message));
    },
    progress: line,
  });
  const run = new ChaosRun(distributed, options);
  try {
    return await run.run(deaths);
  } finally {
    await run.stop();
  }
}

class ChaosRun {
  private readonly targets: ReadonlyMap<string, Target>;
  private readonly availability: Availability;
  private readonly gaps = new ServiceGaps(PARTITIONS);
  private readonly resumes = new Map<number, () => void>();
  private readonly calls = new ServiceCalls({ foldLimitMs: FOLD_LIMIT_MS });
  private readonly load: Load;
  private readonly lagWatch: LagWatch;
  private readonly memoryWatch: MemoryWatch;
  private readonly steps: DoneStep[] = [];
  private leaseWatch: LeaseWatch | undefined;
  private startedMs = 0;

  constructor(
    private readonly distributed: Distributed,
    private readonly options: ChaosRunOptions,
  ) {
    this.targets = targetsOf(distributed);
    this.availability = new Availability(castOf(distributed), PARTITIONS);
    const lag = new ReadLag({ calls: this.calls, queryAddresses: () => this.addressesThere(distributed.of('query')) });
    this.lagWatch = new LagWatch(lag, this.availability);
    this.memoryWatch = new MemoryWatch(distributed.processes);
    this.load = new Load({
      name: 'chaos',
      commandAddresses: distributed.of('command').map(({ address }) => address),
      accounts: spreadAccounts(PARTITIONS, ACCOUNTS_PER_PARTITION),
      partitions: PARTITIONS,
      betweenBatchesMs: BETWEEN_BATCHES_MS,
      attemptLimitMs: ATTEMPT_LIMIT_MS,
      observers: [
        {
          tried: (_account, partition) => this.gaps.tried(partition),
          acknowledged: (_account, partition) => this.gaps.acknowledged(partition),
          finished: (_account, partition) => this.gaps.finished(partition),
        },
        lag,
      ],
    });
  }

  async run(deaths: readonly string[]): Promise<ChaosReport> {
    const { options, distributed, load, gaps, lagWatch, memoryWatch } = this;
    await load.open();
    load.start();
    await load.more(WARM_UP_POSTINGS);
    this.leaseWatch = await LeaseWatch.start({
      natsUrl: distributed.nats.url,
      deployment: DEPLOYMENT,
      partitions: PARTITIONS,
      ownersAre: (owners) => {
        this.availability.ownersAre(owners);
        this.countGaps();
      },
    });
    gaps.restart();
    lagWatch.start();
    memoryWatch.start();
    this.startedMs = performance.now();
    const over = new AbortController();
    const end = (): void => over.abort();
    const timer = setTimeout(end, options.minutes * 60_000);
    options.stopping.addEventListener('abort', end);
    const status = setInterval(() => options.status(this.statusText()), STATUS_EVERY_MS);
    try {
      await Promise.all(lanesOf(options.plan, options.seed, castOf(distributed)).map((lane) => this.runLane(lane, over.signal)));
      if (!over.signal.aborted) throw new Error('the plan has no more steps');
    } finally {
      clearTimeout(timer);
      clearInterval(status);
      options.stopping.removeEventListener('abort', end);
    }
    const minutes = (performance.now() - this.startedMs) / 60_000;
    options.line('the faults are over; judging what is left');
    await load.more(AFTERWARDS_POSTINGS);
    await load.stop();
    await Promise.all([lagWatch.stop(), memoryWatch.stop()]);
    const judgement = await judge([load], this.calls, this.judges(), CAUGHT_UP_LIMIT_MS);
    const consumers = await this.leaseWatch.consumers();
    return this.report(judgement, minutes, consumers, deaths);
  }

  /** Everything, paused processes and servers too. */
  async stop(): Promise<void> {
    this.load.abandon();
    await Promise.all([this.lagWatch.stop(), this.memoryWatch.stop()]);
    await this.leaseWatch?.stop();
    for (const target of this.targets.values()) target.resume();
    await this.distributed.stop();
  }

  private async runLane({ steps }: Lane, over: AbortSignal): Promise<void> {
    for (const step of steps) {
      await pause(step.calmMs, over);
      if (over.aborted) return;
      await this.perform(step, over);
    }
  }

  private async perform(step: Step, over: AbortSignal): Promise<void> {
    const { act, target: name, awayMs } = step;
    const target = this.targets.get(name);
    if (target === undefined) throw new Error(`there is no ${name}`);
    const beganMs = performance.now();
    this.options.line(`${clock(beganMs - this.startedMs)} ${act} ${name}${awayMs > 0 ? `, away for ${(awayMs / 1_000).toFixed(1)} s` : ''}`);
    this.availability.goesAway(name, act);
    this.countGaps();
    await takeAway(target, act);
    await pause(awayMs, over);
    const backMs = performance.now();
    if (act === 'pause') target.resume();
    else await target.start();
    this.availability.isBack(name, performance.now());
    this.countGaps();
    const startedMs = performance.now();
    await this.load.moreEverywhere(1);
    const servedMs = performance.now();
    const freshAfterMs = await this.lagWatch.untilFresh(LAG_SETTLES_WITHIN_MS);
    const overlapping = this.gaps.notable.filter(({ sinceMs, lengthMs }) => sinceMs < servedMs && sinceMs + lengthMs > beganMs);
    this.steps.push({
      atMs: beganMs - this.startedMs,
      act,
      target: name,
      kind: target.kind,
      awayMs: backMs - beganMs,
      startedAfterMs: startedMs - backMs,
      servedAfterMs: servedMs - startedMs,
      freshAfterMs: freshAfterMs ?? null,
      gapMs: Math.max(0, ...overlapping.map(({ lengthMs }) => lengthMs)),
    });
  }

  /** Gaps are counted where something can serve. */
  private countGaps(): void {
    for (let partition = 0; partition < PARTITIONS; partition += 1) {
      const orphaned = this.availability.isOrphaned(partition);
      const resume = this.resumes.get(partition);
      if (orphaned && resume === undefined) this.resumes.set(partition, this.gaps.suspend(partition));
      else if (!orphaned && resume !== undefined) {
        this.resumes.delete(partition);
        resume();
      }
    }
  }

  private judges(): { query: string; projector: string } {
    const [query] = this.addressesThere(this.distributed.of('query'));
    const [projector] = this.addressesThere(this.distributed.of('projector'));
    if (query === undefined || projector === undefined) throw new Error('there is no query or no projector to ask');
    return { query, projector };
  }

  private addressesThere(children: readonly ServiceChild[]): string[] {
    return children.filter(({ pid, name }) => pid !== undefined && !this.availability.isAway(name)).map(({ address }) => address);
  }

  private statusText(): string {
    const { load, gaps, lagWatch, availability, options, steps } = this;
    const lag = lagWatch.lastMs === undefined ? 'unknown' : `${Math.round(lagWatch.lastMs)} ms`;
    const away = availability.description;
    return [
      `${clock(performance.now() - this.startedMs)} of ${clock(options.minutes * 60_000)}`,
      `${steps.length} steps`,
      `${load.acknowledgedPostings.toLocaleString('en-US')} acknowledged`,
      `longest gap ${((gaps.longest?.lengthMs ?? 0) / 1_000).toFixed(1)} s`,
      `lag ${lag}`,
      ...(away === '' ? [] : [`away: ${away}`]),
    ].join(' · ');
  }

  private report(judgement: Judgement, minutes: number, consumers: number, deaths: readonly string[]): ChaosReport {
    const { options, gaps, lagWatch, steps, distributed } = this;
    const memory = this.memoryWatch.record;
    const longestGapMs = gaps.longest?.lengthMs ?? 0;
    const worstLagMs = lagWatch.worst?.lagMs ?? null;
    const mostConsumers = this.leaseWatch?.mostConsumers ?? consumers;
    const complaints = [
      ...complaintsOf(judgement),
      ...(longestGapMs > GAP_LIMIT_MS ? [`a gap in service of ${Math.round(longestGapMs)} ms, ${GAP_LIMIT_MS} are promised`] : []),
      ...(worstLagMs !== null && worstLagMs >= LAG_LIMIT_MS
        ? [`a lag of ${Math.round(worstLagMs)} ms at ${clock((lagWatch.worst?.atMs ?? 0) - this.startedMs)}, below ${LAG_LIMIT_MS} are promised`]
        : []),
      ...(mostConsumers > CONSUMERS_LIMIT ? [`${mostConsumers} consumers of the leases, at most ${CONSUMERS_LIMIT} are expected`] : []),
      ...memory.complaints,
      ...deaths,
    ];
    return {
      plan: options.plan,
      seed: options.seed,
      minutes,
      whole: complaints.length === 0,
      complaints,
      steps,
      acknowledged: judgement.acknowledged,
      repeated: judgement.repeated,
      lost: judgement.lost.length,
      doubled: judgement.doubled.length,
      longestGapMs,
      gaps: gaps.notable
        .map(({ partition, sinceMs, lengthMs }) => ({ atMs: sinceMs - this.startedMs, partition, lengthMs }))
        .sort((left, right) => right.lengthMs - left.lengthMs),
      worstLagMs,
      consumers,
      mostConsumers,
      largestMemory: memory.largest ?? null,
      memoryGrowth: memory.growth ?? null,
      mongodb: distributed.mongodb.describe,
      nats: distributed.nats.describe,
    };
  }
}

async function takeAway(target: Target, act: Step['act']): Promise<void> {
  switch (act) {
    case 'kill':
      return target.kill();
    case 'stop':
    case 'restart':
      return target.stop();
    case 'pause':
      return target.pause();
    default:
      return act satisfies never;
  }
}

/** Resolves after the time, or as soon as the signal aborts. */
function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted || milliseconds === 0) return Promise.resolve();
  return new Promise((resolve) => {
    const finish = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const timer = setTimeout(finish, milliseconds);
    signal.addEventListener('abort', finish);
  });
}
