/**
 * What the engine and the projector tell whoever measures them, as metrics and log lines. Both define their own small
 * observer interface; these objects fit them by shape, so that neither knows telemetry.
 */
import type { Attributes } from '@opentelemetry/api';
import type { Logger } from './logger';
import type { Metrics } from './metrics';
import { beginSpan, isTracing, recordSpan } from './tracing';

const US_PER_SECOND = 1_000_000;

/** The attributes of each partition are made once. */
function partitionAttributes(): (partition: number) => Attributes {
  const known = new Map<number, Attributes>();
  return (partition) => {
    let attributes = known.get(partition);
    if (attributes === undefined) {
      attributes = { partition };
      known.set(partition, attributes);
    }
    return attributes;
  };
}

/** A commit as the engine reports it when requests in it are traced. */
interface MeasuredCommit {
  readonly partition: number;
  readonly sequence: number;
  readonly commands: number;
  readonly sizeBytes: number;
  readonly traceparents: readonly string[];
  readonly decideStartUs: number;
  readonly decideEndUs: number;
  readonly appendStartUs: number;
  readonly durableUs: number;
}

/** Deciding and committing as spans: both continue the first request that is traced, and link the others. */
function recordCommit(commit: MeasuredCommit): string | undefined {
  if (!isTracing()) return undefined;
  const [parent, ...links] = commit.traceparents;
  const attributes = { 'sluice.partition': commit.partition, 'sluice.sequence': commit.sequence, 'sluice.commands': commit.commands };
  recordSpan('decide', { parent, links, attributes, startUs: commit.decideStartUs, endUs: commit.decideEndUs });
  const size = { ...attributes, 'sluice.bytes': commit.sizeBytes };
  return recordSpan('commit', { kind: 'CLIENT', parent, links, attributes: size, startUs: commit.appendStartUs, endUs: commit.durableUs });
}

function publishing(partition: number, sequence: number, parent: string) {
  return beginSpan('publish', { kind: 'PRODUCER', parent, attributes: { 'sluice.partition': partition, 'sluice.sequence': sequence } });
}

export function engineObserver(metrics: Metrics, logger: Logger) {
  const of = partitionAttributes();
  const commands = metrics.counter('sluice.commands');
  const turns = metrics.counter('sluice.turns');
  const turnCommands = metrics.histogram('sluice.turn.commands');
  const commitDuration = metrics.histogram('sluice.commit.duration');
  const commitSize = metrics.histogram('sluice.commit.size');
  const queue = metrics.gauge('sluice.queue.commands');
  const rejections = metrics.counter('sluice.rejections');
  const troubles = metrics.counter('sluice.engine.troubles');
  const trouble = (partition: number, what: string, error: unknown): void => {
    troubles(1, of(partition));
    logger.warn({ partition, error }, what);
  };
  const unreadable = metrics.gauge('sluice.engine.unreadable');
  const told = {
    unreadable(partition: number, error: Error | undefined, advice = ''): void {
      unreadable(error === undefined ? 0 : 1, of(partition));
      if (error === undefined) logger.info({ partition }, 'the partition can be served again');
      else logger.error({ partition, error }, `the partition is not served: ${error.message}; ${advice}`);
    },
    traced: recordCommit,
    publishing,
  };
  const deliveriesUnfinished = metrics.gauge('sluice.deliveries.unfinished');
  const deliveriesDead = metrics.gauge('sluice.deliveries.dead');
  const deliveriesTaken = metrics.counter('sluice.deliveries.taken');
  const deliveriesSettled = metrics.counter('sluice.deliveries.settled');
  const timersPending = metrics.gauge('sluice.timers.pending');
  const timersParked = metrics.gauge('sluice.timers.parked');
  const timersFired = metrics.counter('sluice.timers.fired');
  const timersLateness = metrics.histogram('sluice.timers.lateness');
  const nothing = (): void => undefined;
  if (!metrics.enabled) return { turnDecided: nothing, committed: nothing, queued: nothing, rejected: nothing, trouble, ...told };
  return {
    turnDecided(partition: number, count: number): void {
      turns(1, of(partition));
      commands(count, of(partition));
      turnCommands(count, of(partition));
    },
    committed(partition: number, sizeBytes: number, latencyUs: number): void {
      commitDuration(latencyUs / US_PER_SECOND, of(partition));
      commitSize(sizeBytes, of(partition));
    },
    queued(partition: number, count: number): void {
      queue(count, of(partition));
    },
    rejected(reason: string, count: number): void {
      rejections(count, { reason });
    },
    deliveriesUnfinished(partition: number, unfinished: number, dead: number): void {
      deliveriesUnfinished(unfinished, of(partition));
      deliveriesDead(dead, of(partition));
    },
    deliveriesTaken(partition: number, count: number): void {
      deliveriesTaken(count, of(partition));
    },
    deliveriesSettled(partition: number, count: number): void {
      deliveriesSettled(count, of(partition));
    },
    timersPending(partition: number, pending: number, parked: number): void {
      timersPending(pending, of(partition));
      timersParked(parked, of(partition));
    },
    timersFired(partition: number, fired: number, lateUs: number): void {
      timersFired(fired, of(partition));
      timersLateness(lateUs / US_PER_SECOND, of(partition));
    },
    trouble,
    ...told,
  };
}

/** A flush as the projector reports it; what is not measured is left out here. */
interface MeasuredFlush {
  readonly partition: number;
  readonly commitCount: number;
  /** Commit time of the newest commit. */
  readonly newestUs: number;
  readonly postings: number;
  readonly startUs: number;
  readonly writeStartUs: number;
  readonly endUs: number;
  /** Of the span that published the newest commit; of the requests in the commits. */
  readonly publishTraceparent: string | undefined;
  readonly traceparents: readonly string[];
}

/** The flush as spans: they continue the publishing of its newest commit, and link the requests that it carries. */
function recordFlush(flush: MeasuredFlush): void {
  const { partition, startUs, writeStartUs, endUs, publishTraceparent, traceparents } = flush;
  const parent = publishTraceparent ?? traceparents[0];
  if (!isTracing() || parent === undefined) return;
  const attributes = { 'sluice.partition': partition, 'sluice.commits': flush.commitCount, 'sluice.postings': flush.postings };
  const project = recordSpan('project', { kind: 'CONSUMER', parent, links: traceparents, attributes, startUs, endUs });
  if (project !== undefined) recordSpan('write read store', { kind: 'CLIENT', parent: project, startUs: writeStartUs, endUs });
}

export function projectorObserver(metrics: Metrics, logger: Logger) {
  const of = partitionAttributes();
  const commits = metrics.counter('sluice.projection.commits');
  const postings = metrics.counter('sluice.projection.postings');
  const lag = metrics.histogram('sluice.projection.lag');
  const duration = metrics.histogram('sluice.projection.duration');
  const setAside = metrics.counter('sluice.projection.set_aside');
  const blocked = metrics.gauge('sluice.projection.blocked');
  const discards = metrics.counter('sluice.projection.bus_discards');
  const troubles = metrics.counter('sluice.projection.troubles');
  return {
    flushed(flush: MeasuredFlush): void {
      recordFlush(flush);
      if (!metrics.enabled) return;
      const attributes = of(flush.partition);
      commits(flush.commitCount, attributes);
      postings(flush.postings, attributes);
      duration((flush.endUs - flush.startUs) / US_PER_SECOND, attributes);
      lag(Math.max(0, flush.endUs - flush.newestUs) / US_PER_SECOND, attributes);
    },
    setAside(aside: { readonly partition: number }): void {
      setAside(1, of(aside.partition));
      logger.error({ ...aside }, 'the projection of an aggregate threw; it was set aside');
    },
    blocked(found: { readonly partition: number; readonly sequence: number; readonly error: string }): void {
      blocked(1, of(found.partition));
      logger.error({ partition: found.partition, sequence: found.sequence }, `a commit cannot be read, the partition is not projected: ${found.error}`);
    },
    unblocked(partition: number): void {
      blocked(0, of(partition));
      logger.info({ partition }, 'the partition is not blocked here any more');
    },
    busCommitDiscarded(partition: number, error: Error): void {
      discards(1, of(partition));
      logger.warn({ partition, error }, 'the bus brought a commit that is not what the log has; it is read from the log instead');
    },
    trouble(partition: number, what: string, error: unknown): void {
      troubles(1, of(partition));
      logger.warn({ partition, error }, what);
    },
  };
}
