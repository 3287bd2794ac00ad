/**
 * What is measured of queues. Each of the first queues that this instance meets has values of its own; those of all others are added up under
 * one name, so that callers who make queues do not make metrics without end.
 */
import type { Ending } from '@sluice/domain/task';
import type { CapabilityMetrics } from '@sluice/service';
import type { Instrument } from '@sluice/telemetry';
import type { QueueEntry } from './queue-entry';

/** Not a name that metrics of a queue could be mistaken for: brackets show that it is none. */
export const OTHER_QUEUES = '(others)';
const US_PER_SECOND = 1_000_000;

type QueueAttributes = Readonly<Record<'queue', string>>;

interface Standing {
  waiting: number;
  delayed: number;
  running: number;
  oldestUs: number;
}

export class QueueMeter {
  private readonly submissions: Instrument;
  private readonly starts: Instrument;
  private readonly ends: Instrument;
  private readonly failures: Instrument;
  private readonly limits: Instrument;
  private readonly waits: Instrument;
  private readonly handOuts: Instrument;
  private readonly runs: Instrument;
  private readonly known = new Map<string, QueueAttributes>();
  private readonly others: QueueAttributes = { queue: OTHER_QUEUES };

  /** @param named how many queues have values of their own. */
  constructor(
    private readonly metrics: CapabilityMetrics,
    private readonly named: number,
  ) {
    this.submissions = metrics.counter('sluice.task.submitted');
    this.starts = metrics.counter('sluice.task.started');
    this.ends = metrics.counter('sluice.task.ended');
    this.failures = metrics.counter('sluice.task.attempts_failed');
    this.limits = metrics.counter('sluice.task.limits_hit');
    this.waits = metrics.histogram('sluice.task.wait.duration');
    this.handOuts = metrics.histogram('sluice.task.hand_out.duration');
    this.runs = metrics.histogram('sluice.task.run.duration');
  }

  submitted(queue: string): void {
    this.submissions(1, this.attributesOf(queue));
  }

  started(queue: string, waitedUs: number): void {
    const attributes = this.attributesOf(queue);
    this.starts(1, attributes);
    this.waits(Math.max(0, waitedUs) / US_PER_SECOND, attributes);
  }

  handedOut(queue: string, afterUs: number): void {
    this.handOuts(Math.max(0, afterUs) / US_PER_SECOND, this.attributesOf(queue));
  }

  /** @param ranUs of an attempt; undefined: none was under way. */
  ended(queue: string, { event, state, failure }: Ending, ranUs: number | undefined): void {
    const attributes = this.attributesOf(queue);
    const goesOn = event.kind === 'attemptEnded' && event.retryAtUs !== 0;
    if (!goesOn) this.ends(1, { ...attributes, state });
    if (ranUs !== undefined) this.runs(Math.max(0, ranUs) / US_PER_SECOND, attributes);
    if (failure === undefined) return;
    if (event.kind === 'attemptEnded') this.failures(1, { ...attributes, kind: failure.kind });
    if (failure.limit !== undefined) this.limits(1, { ...attributes, limit: failure.limit });
  }

  /** Shows what waits and what runs whenever somebody looks. @returns how to end that. */
  show(entries: () => Iterable<QueueEntry>, nowUs: () => number): () => void {
    const names = ['sluice.task.waiting', 'sluice.task.delayed', 'sluice.task.running', 'sluice.task.oldest_waiting'] as const;
    return this.metrics.observe(names, (observed) => {
      const atUs = nowUs();
      for (const [attributes, { waiting, delayed, running, oldestUs }] of this.standings(entries(), atUs)) {
        observed('sluice.task.waiting', waiting, attributes);
        observed('sluice.task.delayed', delayed, attributes);
        observed('sluice.task.running', running, attributes);
        observed('sluice.task.oldest_waiting', waiting === 0 ? 0 : (atUs - oldestUs) / US_PER_SECOND, attributes);
      }
    });
  }

  private standings(entries: Iterable<QueueEntry>, atUs: number): Map<QueueAttributes, Standing> {
    const standings = new Map<QueueAttributes, Standing>();
    for (const { queue } of entries) {
      const attributes = this.attributesOf(queue.name);
      const sum = standings.get(attributes) ?? { waiting: 0, delayed: 0, running: 0, oldestUs: Number.POSITIVE_INFINITY };
      const { waiting, delayed, running, oldestUs } = queue.standing(atUs);
      standings.set(attributes, {
        waiting: sum.waiting + waiting,
        delayed: sum.delayed + delayed,
        running: sum.running + running,
        oldestUs: Math.min(sum.oldestUs, oldestUs),
      });
    }
    return standings;
  }

  private attributesOf(queue: string): QueueAttributes {
    const known = this.known.get(queue);
    if (known !== undefined) return known;
    if (this.known.size >= this.named) return this.others;
    const attributes = { queue };
    this.known.set(queue, attributes);
    return attributes;
  }
}
