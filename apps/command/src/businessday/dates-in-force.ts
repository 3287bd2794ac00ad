/**
 * Answers that wait until every partition has the dates of a branch: those of RegisterBranch, CutDay and SetDates. What they say is durable. A call waits as long as its caller does;
 * a repeat of it waits again.
 */
import { runIdOf, type Branch, type BranchCommand } from '@sluice/domain/businessday';
import type { AggregateState } from '@sluice/engine';
import type { Clock } from '@sluice/ports';
import { businessdaypb } from '@sluice/protocol/businessday';
import { refusal } from '@sluice/service';
import type { CommandContext } from '../command-capability';
import { isDurable } from '../methods/durable-state';
import type { CompletedReply, CompleteReply } from '../methods/reply-completion';
import { BRANCH } from './business-day-names';
import { replyOf } from './business-day-reply';

/** A call that waits sees by then that its partition was given up. */
const LOOK_AGAIN_MS = 1_000;

export class DatesInForce {
  /** By branch. */
  private readonly waiting = new Map<string, Set<() => void>>();
  private context: CommandContext | undefined;

  constructor(private readonly clock: Clock) {}

  /** Where the methods run, once they do. */
  runOn(context: CommandContext): void {
    this.context = context;
  }

  /** The dates of the branch are in force, and that is durable. */
  inForce(branchId: string): void {
    for (const look of [...(this.waiting.get(branchId) ?? [])]) look();
  }

  readonly awaited: CompleteReply = async ({ key, command }, reply, partition, { signal }): Promise<CompletedReply> => {
    const isCut = cutOf(key.text, command as BranchCommand, reply);
    for (;;) {
      signal.throwIfAborted();
      // Listens before it looks, so that nothing happens in between.
      const next = this.listen(key.text, signal);
      try {
        const found = await this.look(key.text, partition, isCut);
        if (found !== undefined) return found;
        await next.told;
      } finally {
        next.end();
      }
    }
  };

  /** Undefined: they are not in force yet. Throws where the partition is another instance's now. */
  private async look(branchId: string, partition: number, isCut: CutAwaited): Promise<CompletedReply | undefined> {
    const owned = this.context?.engine.partition(partition);
    if (owned === undefined || owned.state !== 'serving') throw refusal('PARTITION_UNAVAILABLE');
    const state = owned.stateOf(BRANCH.capability) as AggregateState;
    const branch = state.stateOf(BRANCH.aggregate, branchId) as Branch | undefined;
    if (branch === undefined || !branch.inForce || !isCut(branch)) return undefined;
    const sequence = state.sequenceOf(BRANCH.aggregate, branchId);
    const answer = replyOf(branch);
    return (await isDurable(owned, sequence)) ? { reply: answer, sequences: new Map([[partition, sequence]]) } : undefined;
  }

  /** Resolves when the branch is to be looked at again. */
  private listen(branchId: string, signal: AbortSignal): { readonly told: Promise<void>; end(): void } {
    const waiting = this.waiting.get(branchId) ?? new Set();
    this.waiting.set(branchId, waiting);
    let look = (): void => undefined;
    const told = new Promise<void>((resolve) => (look = resolve));
    const cancelTimer = this.clock.after(LOOK_AGAIN_MS, look);
    waiting.add(look);
    signal.addEventListener('abort', look);
    return {
      told,
      end: () => {
        cancelTimer();
        signal.removeEventListener('abort', look);
        waiting.delete(look);
        if (waiting.size === 0) this.waiting.delete(branchId);
      },
    };
  }
}

/** Whether the branch has cut the day that a request asks for. */
type CutAwaited = (branch: Branch) => boolean;

/** @param reply of the request when it was decided: names the run that cuts the day. */
function cutOf(branchId: string, command: BranchCommand, reply: Uint8Array): CutAwaited {
  if (command.kind !== 'cut') return () => true;
  const { date } = command;
  if (date !== undefined) return ({ onlineDate }) => onlineDate > date;
  const runId = businessdaypb.CutDayResponse.decode(reply).day?.runId ?? '';
  return ({ onlineDate, run }) => run === undefined || runIdOf(branchId, run.date) !== runId || onlineDate > run.date;
}
