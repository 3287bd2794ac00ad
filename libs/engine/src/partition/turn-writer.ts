/**
 * Makes turns: decides submissions against the partition's memory and forms one commit of what they recorded. The memory is ahead of the
 * log until the commit is durable.
 */
import type { Clock } from '@sluice/ports';
import { CommitWriter, logEvents, MAXIMUM_TRACEPARENTS, NO_CHECKSUM } from '@sluice/protocol';
import type { Submission } from '../capability';
import type { PendingCommit } from './commit-pipeline';
import type { PartitionMemory } from './partition-memory';
import { Turn } from './turn';

export class TurnWriter {
  private readonly writer = new CommitWriter();

  constructor(
    private readonly incarnation: Uint8Array,
    private readonly clock: Clock,
  ) {}

  /** Decides in order. Throws what a decision throws: half a turn is in memory then, which cannot be used any more. */
  decide(memory: PartitionMemory, submissions: Submission[]): Turn {
    const turn = this.begin(memory, submissions);
    for (const submission of submissions) {
      turn.commandCount += submission.commandCount;
      submission.decide(turn);
    }
    turn.close();
    return turn;
  }

  /** The turn's commit, finished; the memory stands at it from now on. */
  finish(memory: PartitionMemory, turn: Turn): PendingCommit {
    const { eventTypes } = turn.commit;
    const bytes = turn.commit.finish();
    memory.sequence = turn.sequence;
    memory.checksum = bytes.subarray(bytes.length - NO_CHECKSUM.length);
    memory.committedAtUs = turn.committedAtUs;
    const decidedAtUs = turn.traceparents.length > 0 ? this.clock.nowUs() : 0;
    return { turn, bytes, eventTypes, decidedAtUs, appendedAtUs: 0 };
  }

  /** The fence: once it is durable no append of an older owner succeeds. The memory is in the new epoch from now on. */
  ownership(memory: PartitionMemory, owner: string): PendingCommit {
    memory.epoch += 1;
    const turn = this.begin(memory, []);
    const { type, version, payload } = logEvents.record('OwnershipTaken', { epoch: BigInt(memory.epoch), owner });
    turn.event(type, version, payload);
    return this.finish(memory, turn);
  }

  private begin(memory: PartitionMemory, submissions: Submission[]): Turn {
    const sequence = memory.sequence + 1;
    const committedAtUs = Math.max(this.clock.nowUs(), memory.committedAtUs);
    const { partition, epoch, checksum: previousChecksum } = memory;
    const turn = new Turn(sequence, committedAtUs, this.writer, memory.rooms, submissions, traceparentsOf(submissions));
    this.writer.begin({ incarnation: this.incarnation, partition, sequence, epoch, committedAtUs, previousChecksum }, turn.traceparents);
    return turn;
  }
}

function traceparentsOf(submissions: readonly Submission[]): string[] {
  const traceparents: string[] = [];
  for (const { traceparent } of submissions) {
    if (traceparent === undefined || traceparents.length >= MAXIMUM_TRACEPARENTS) continue;
    // What comes by one stream has one span.
    if (!traceparents.includes(traceparent)) traceparents.push(traceparent);
  }
  return traceparents;
}
