/** A queue in memory, with what its aggregate does not have to know: schedules as callers said them, limits, pointers. */
import { TaskQueue } from '@sluice/domain/task';
import type { taskpb } from '@sluice/protocol/task';
import { CreationIndex } from './creation-index';

export class QueueEntry {
  readonly queue: TaskQueue;
  readonly nameBytes: Buffer;
  readonly creations = new CreationIndex();
  limits: taskpb.QueueLimits | undefined;
  readonly scheduleSpecs = new Map<string, taskpb.ScheduleSpec>();
  /** Sequence of the newest commit with a decided request of the queue; 0: there is none. */
  decidedSequence = 0;
  /** Of the commit with a decided request before that one. */
  previousSequence = 0;
  /** Since when its next wake is known to those who wake it, microseconds. Not recorded. */
  wakeAtUs = Number.POSITIVE_INFINITY;
  /** When a rate lets a task start that a worker waited for. Not recorded. */
  rateOpensAtUs = Number.POSITIVE_INFINITY;
  /** When progress of an attempt was recorded last, by number. Not recorded. */
  readonly progressAtUs = new Map<number, number>();

  constructor(name: string) {
    this.queue = new TaskQueue(name);
    this.nameBytes = Buffer.from(name, 'utf8');
  }

  /** Nothing was recorded of the queue. */
  get isNew(): boolean {
    const { queue, decidedSequence, limits } = this;
    return queue.nextNumber === 1 && decidedSequence === 0 && limits === undefined && !queue.paused && queue.schedules.size === 0;
  }

  /** When something is due, microseconds; Infinity: never. */
  get nextDueUs(): number {
    const { queue } = this;
    if (queue.purgeSlot !== -1) return 0;
    let nextUs = Math.min(queue.due.topTimeUs, this.rateOpensAtUs);
    for (const schedule of queue.schedules.values()) {
      if (schedule.paused) continue;
      if (schedule.buffered && !this.isLive(schedule.lastNumber)) return 0;
      nextUs = Math.min(nextUs, schedule.nextRunsUs[0] ?? Number.POSITIVE_INFINITY);
    }
    return nextUs;
  }

  /** Sequence of the commit that submitted the task; 0: it is not known any more, or there is no such task. */
  createdSequenceOf(number: number): number {
    const slot = this.queue.tasks.slotOf(number);
    if (slot !== -1) return this.queue.tasks.createdSequences[slot] as number;
    return number < this.queue.nextNumber ? this.creations.sequenceOf(number) : 0;
  }

  isLive(number: number): boolean {
    return number !== 0 && this.queue.tasks.slotOf(number) !== -1;
  }
}
