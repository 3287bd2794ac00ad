/**
 * The hop to a partition's owner, over gRPC.
 *
 *   outcome of a try                      next
 *   answered, refused                     the caller gets it
 *   the lease moved to another instance   the try is aborted; next try at the new owner        (repeatable methods)
 *   the instance is not the owner         ask the lease service; next try                      (any method: nothing was done)
 *   the instance refuses this one         logged for the operator; PARTITION_UNAVAILABLE
 *   no answer                             ask the lease service; next try                      (repeatable methods)
 *   the owner is unavailable              ask the lease service; next try if the owner changed (repeatable methods)
 *
 * A hop has no time limit of its own: the caller's deadline holds. An owner that falls silent is noticed when its lease moves, or
 * when its connection does not answer pings. Once a try has failed, further tries begin within a second. They bridge a planned
 * change of owner; after that the caller gets PARTITION_UNAVAILABLE and sends the request again with the same request id.
 */
import type { HopMethod, HopStreamListener, PartitionHop } from '@sluice/engine';
import type { Clock, LeaseHolder } from '@sluice/ports';
import { LocalCall, refusal, SluiceError, type CallContext, type PeerChannels, type RateLimitedLog } from '@sluice/service';
import { isNotOwner, notOwner } from './not-owner';
import type { OwnMethods } from './own-methods';
import type { PartitionOwners } from './partition-owners';
import { failureOf, type HopFailure } from './peer-answer';
import { reportFault } from './peer-faults';

/** Pause before each try after the first, where the owner is still the one that was tried. */
const PAUSES_MS = [0, 50, 100, 200, 400];
const MAXIMUM_TRIES = PAUSES_MS.length + 1;
/** From the end of the first try on, a new one begins within this time. */
const RETRY_WINDOW_MS = 1_000;

export interface PeerHopDependencies {
  /** Id of this instance, as leases name it. */
  readonly self: string;
  /** Whether this instance serves the partition now. */
  readonly serves: (partition: number) => boolean;
  readonly owners: PartitionOwners;
  readonly connections: PeerChannels;
  /** The methods of this instance, for a partition that comes here while a hop is under way. */
  readonly ownMethods: OwnMethods;
  readonly clock: Clock;
  /** For peers that refuse this instance or do not answer; undefined: nothing is logged. */
  readonly log?: RateLimitedLog;
}

type Outcome = { readonly kind: 'answered'; readonly response: Buffer } | { readonly kind: 'moved' } | HopFailure;

interface Sending {
  readonly partition: number;
  readonly method: HopMethod;
  readonly bytes: Buffer;
  readonly call: CallContext;
}

export class PeerHop implements PartitionHop<CallContext> {
  /** Hops under way and pausing ones, by partition. */
  private readonly waiting = new Map<number, Set<() => void>>();
  private readonly unsubscribe: () => void;

  constructor(private readonly dependencies: PeerHopDependencies) {
    this.unsubscribe = dependencies.owners.onOwnerChanged((partition) => {
      for (const ownerChanged of [...(this.waiting.get(partition) ?? [])]) ownerChanged();
    });
  }

  close(): void {
    this.unsubscribe();
  }

  async send(partition: number, method: HopMethod, request: Uint8Array, call: CallContext): Promise<Buffer> {
    if (call.forwarded) throw notOwner(partition);
    const { clock, owners } = this.dependencies;
    const sending: Sending = { partition, method, bytes: Buffer.from(request.buffer, request.byteOffset, request.byteLength), call };
    let owner = owners.ownerOf(partition) ?? (await owners.findOwner(partition));
    let lastTryMs = Number.POSITIVE_INFINITY;
    for (let tries = 1; ; tries += 1) {
      const outcome = await this.try(owner, sending);
      if (outcome.kind === 'answered') return outcome.response;
      if (outcome.kind === 'refused') throw outcome.refusal;
      if (outcome.kind === 'untrusted') throw unavailable(partition, owner, outcome);
      const nothingDone = outcome.kind === 'notOwner';
      lastTryMs = Math.min(lastTryMs, clock.monotonicMs() + RETRY_WINDOW_MS);
      const over = tries === MAXIMUM_TRIES || clock.monotonicMs() > lastTryMs || call.deadlinePassed;
      if (over || (!method.repeatable && !nothingDone)) throw unavailable(partition, owner, outcome);
      const tried = owner;
      owner = await owners.findOwner(partition);
      if (owner?.id !== tried?.id) continue;
      if (outcome.kind === 'unavailable') throw outcome.refusal;
      await this.pause(partition, PAUSES_MS[tries - 1] as number);
      owner = owners.ownerOf(partition);
    }
  }

  stream(partition: number, path: string, request: Uint8Array, { caller }: CallContext, listener: HopStreamListener): { cancel(): void } {
    const { owners, serves, self, connections } = this.dependencies;
    const owner = owners.ownerOf(partition);
    let isOpen = true;
    const close = (): boolean => {
      const wasOpen = isOpen;
      isOpen = false;
      stopWaiting();
      return wasOpen;
    };
    const end = (): void => {
      if (close()) listener.ended();
    };
    const stopWaiting = this.whenOwnerChanges(partition, () => {
      if (owners.ownerOf(partition)?.id === owner?.id) return;
      end();
      running?.cancel();
    });
    const isElsewhere = owner !== undefined && owner.id !== self && !serves(partition);
    const bytes = Buffer.from(request.buffer, request.byteOffset, request.byteLength);
    const sent = { path, bytes, forwarded: { caller, partition }, deadlineMs: Number.POSITIVE_INFINITY };
    const message = (answer: Buffer): void => {
      if (isOpen) listener.message(answer);
    };
    const running = isElsewhere ? connections.stream(owner.address, sent, { message, ended: end }) : undefined;
    return {
      cancel: () => {
        if (close()) running?.cancel();
      },
    };
  }

  private async try(owner: LeaseHolder | undefined, sending: Sending): Promise<Outcome> {
    const { serves, self } = this.dependencies;
    const { partition } = sending;
    if (serves(partition)) return this.runHere(sending);
    // Without an owner, or while this instance still loads the partition, no instance can answer.
    if (owner === undefined || owner.id === self) return { kind: 'notOwner' };
    return this.sendTo(owner, sending);
  }

  /** Runs it as a call that a peer sent on: methods for peers only take it, and it is not sent on again if the partition leaves. */
  private async runHere({ partition, method, bytes, call }: Sending): Promise<Outcome> {
    const local = new LocalCall(call.caller, partition, call.deadlineMs);
    try {
      return { kind: 'answered', response: await this.dependencies.ownMethods.run(method.path, bytes, local) };
    } catch (error) {
      if (error instanceof SluiceError && isNotOwner(error)) return { kind: 'notOwner' };
      throw error;
    }
  }

  private sendTo(owner: LeaseHolder, { partition, method, bytes, call }: Sending): Promise<Outcome> {
    const { connections, log, owners } = this.dependencies;
    return new Promise((resolve) => {
      let moved = false;
      const request = { path: method.path, bytes, forwarded: { caller: call.caller, partition }, deadlineMs: call.deadlineMs };
      const running = connections.send(owner.address, request, (error, response) => {
        stopWaiting();
        if (error === null) resolve({ kind: 'answered', response: response as Buffer });
        else if (moved) resolve({ kind: 'moved' });
        else {
          const failure = failureOf(error);
          if (log !== undefined) reportFault(log, owner.address, failure);
          resolve(failure);
        }
      });
      const stopWaiting = this.whenOwnerChanges(partition, () => {
        const holder = owners.ownerOf(partition);
        if (!method.repeatable || holder === undefined || holder.id === owner.id) return;
        moved = true;
        running.cancel();
      });
    });
  }

  /** Resolves after the time, or as soon as the partition has another owner. */
  private pause(partition: number, milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const finish = (): void => {
        cancelTimer();
        stopWaiting();
        resolve();
      };
      const cancelTimer = this.dependencies.clock.after(milliseconds, finish);
      const stopWaiting = this.whenOwnerChanges(partition, finish);
    });
  }

  private whenOwnerChanges(partition: number, ownerChanged: () => void): () => void {
    const waiting = this.waiting.get(partition) ?? new Set();
    this.waiting.set(partition, waiting);
    waiting.add(ownerChanged);
    return () => waiting.delete(ownerChanged);
  }
}

function unavailable(partition: number, owner: LeaseHolder | undefined, outcome: Outcome): SluiceError {
  if (outcome.kind === 'unavailable') return outcome.refusal;
  const reason = owner === undefined ? `no instance is known to own partition ${partition}` : `the owner of partition ${partition} does not answer`;
  return refusal('PARTITION_UNAVAILABLE', `${reason}; send the request again, with the same request id`);
}
