/**
 * Fires what is due in one partition, while its memory stands. It does so when it is asked: who asks (the scheduler) sees when the first timer is due.
 *
 *   idle ──asked, something is due──▶ firing ──nothing is due any more──▶ idle
 *    │                                  │ one step at a time, each a commit
 *    │                                  └──a step is lost──▶ stopped by the partition, which loads its memory again
 *    └──asked, not due yet by this clock──▶ waiting ──due──▶ firing
 *
 * What was asked for early is kept: the owner's clock decides, and it fires by itself then. Nothing is kept of that when the partition is loaded
 * again or changes hands: its next announcement makes the scheduler ask again.
 */
import type { Clock } from '@sluice/ports';
import type { Submission } from '../capability';
import type { EngineObserver } from '../engine-observer';
import type { PartitionWorker } from '../internal/engine-room';
import { decideEach, type StateByCapability } from '../internal/internal-command';
import { DueTimersSubmission, type StepOutcome, STEP_TIMERS } from './due-timers-submission';
import type { DueState, DueTimers, PartitionTimers } from './due-timers';
import type { ThrowingTimers } from './throwing-timers';
import type { TimerRoom } from './timer-room';

/** A timer that is asked for early is looked at so often at least, so that a clock that jumps is noticed. */
const LONGEST_WAIT_MS = 1_000;
/** The partition's queue has no room: when it is tried again. */
const FULL_PAUSE_MS = 50;

export interface TimerFiringDependencies {
  readonly partition: number;
  readonly room: TimerRoom;
  readonly clock: Clock;
  readonly observer: EngineObserver;
  readonly stateOf: StateByCapability;
  /** Throws QueueFullError. */
  readonly submit: (submission: Submission) => void;
  /** Of this partition; outlives its memory. */
  readonly throwing: ThrowingTimers;
  /** Where it tells when the first timer is due, and takes part while it is not stopped. */
  readonly timers: DueTimers;
}

export class TimerFiring implements PartitionWorker, PartitionTimers {
  readonly room: TimerRoom;
  /** What is due up to then was asked for. */
  private askedUpToUs = Number.NEGATIVE_INFINITY;
  private firing = false;
  private stopped = false;
  private announcedUs: number | undefined;
  private observedPending = -1;
  private observedParked = -1;
  private cancelWait = (): void => undefined;
  private waiting: (() => void)[] = [];

  constructor(private readonly dependencies: TimerFiringDependencies) {
    this.room = dependencies.room;
    dependencies.timers.began(dependencies.partition, this);
  }

  get state(): DueState {
    const { pending } = this.room;
    return { earliestDueUs: pending.earliestDueUs, pending: pending.size };
  }

  /** Resolves when what is due now is fired, or the partition is not served any more. */
  fire(upToUs: number): Promise<void> {
    this.askedUpToUs = Math.max(this.askedUpToUs, upToUs);
    this.go();
    return this.firing ? new Promise((resolve) => this.waiting.push(resolve)) : Promise.resolve();
  }

  async redrive(numbers: readonly number[]): Promise<number> {
    const { throwing, clock } = this.dependencies;
    let redriven = 0;
    for (const number of numbers) {
      const timer = this.room.unpark(number);
      if (timer === undefined) continue;
      throwing.redriven(timer);
      redriven += 1;
    }
    if (redriven > 0) await this.fire(clock.nowUs());
    return redriven;
  }

  durable(): void {
    const { earliestDueUs } = this.room.pending;
    this.observe();
    if (earliestDueUs === this.announcedUs) return;
    this.announcedUs = earliestDueUs;
    this.dependencies.timers.changed(this.dependencies.partition);
    // What was set for a time that was asked for already need not be asked for again.
    this.go();
  }

  stop(): void {
    const { timers, partition } = this.dependencies;
    this.stopped = true;
    this.end();
    timers.ceased(partition, this);
  }

  private go(): void {
    if (this.firing || this.stopped) return;
    const earliestUs = this.room.pending.earliestDueUs;
    this.cancelWait();
    if (earliestUs === undefined || earliestUs > this.askedUpToUs) return this.end();
    const { clock } = this.dependencies;
    const nowUs = clock.nowUs();
    if (earliestUs > nowUs) {
      // Rounded up: a timer of the machine that is early would have to be set again.
      this.cancelWait = clock.after(Math.min(Math.ceil((earliestUs - nowUs) / 1_000), LONGEST_WAIT_MS), () => this.go());
      return this.end();
    }
    this.step(nowUs);
  }

  private step(nowUs: number): void {
    const { room, clock, stateOf, submit, partition, observer, throwing } = this.dependencies;
    const submission = new DueTimersSubmission({
      room,
      clock,
      throwing,
      due: room.pending.countDue(Math.min(nowUs, this.askedUpToUs), STEP_TIMERS),
      recordBytesOf: ({ capability, method, payload }) => stateOf(capability)?.recordBytesOf?.(method, payload),
      decide: (turn, commands) => decideEach(turn, commands, stateOf),
      ended: (outcome) => this.stepEnded(outcome),
    });
    this.firing = true;
    try {
      submit(submission);
    } catch (error) {
      this.firing = false;
      observer.trouble(partition, 'due timers found no room in the queue; they are fired a little later', error);
      this.cancelWait = clock.after(FULL_PAUSE_MS, () => this.go());
    }
  }

  private stepEnded(outcome: StepOutcome): void {
    const { partition, observer } = this.dependencies;
    this.firing = false;
    if (this.stopped) return;
    switch (outcome.kind) {
      case 'decided': {
        const { fired, parked, latestUs } = outcome.result;
        this.dependencies.throwing.decided();
        if (fired > 0) observer.timersFired?.(partition, fired, latestUs);
        for (const { timer, reason } of parked) {
          const { capability, key, timerId } = timer;
          observer.trouble(partition, `the timer ${timerId} of ${capability} ${key} waits, because its command cannot be decided`, new Error(reason));
        }
        this.go();
        return;
      }
      case 'failed':
        // The partition is loaded again or handed over: what takes its place begins anew.
        this.end();
        return;
      default:
        outcome satisfies never;
    }
  }

  private observe(): void {
    const { size, parkedCount } = this.room.pending;
    if (size === this.observedPending && parkedCount === this.observedParked) return;
    this.observedPending = size;
    this.observedParked = parkedCount;
    this.dependencies.observer.timersPending?.(this.dependencies.partition, size, parkedCount);
  }

  /** Answers those that wait for what is due now. */
  private end(): void {
    if (this.stopped) this.cancelWait();
    const { waiting } = this;
    this.waiting = [];
    for (const resolve of waiting) resolve();
  }
}
