/**
 * Calls every other owner once, as soon as this instance learns of it, so that certificates, authorities and tokens that do not fit are told at
 * the start of an instance and not at the first request that it sends on. An owner that starts or does not answer is called again after a
 * while, and when it has another partition.
 */
import type { Clock, LeaseHolder } from '@sluice/ports';
import type { Caller, PeerTransport, RateLimitedLog } from '@sluice/service';
import type { PartitionOwners } from './partition-owners';
import { failureOf } from './peer-answer';
import { reportFault } from './peer-faults';

/** The caller of the call: no caller has a name without letters. */
const ITSELF: Caller = { name: '-', roles: new Set(['post']) };
const NOTHING = Buffer.alloc(0);
const ANSWER_LIMIT_MS = 5_000;
const PAUSE_MS = 1_000;
/** How often an owner that starts, or does not answer, is called. */
const ATTEMPTS = 30;
/** Beyond so many addresses the oldest is forgotten, and called again. */
const MAXIMUM_ADDRESSES = 1_000;

export interface PeerCheckDependencies {
  /** Id of this instance. */
  readonly self: string;
  /** A method that does nothing when it gets a message without fields. */
  readonly path: string;
  readonly partitions: number;
  readonly owners: PartitionOwners;
  readonly connections: PeerTransport;
  readonly clock: Clock;
  readonly log: RateLimitedLog;
}

export class PeerCheck {
  private readonly called = new Set<string>();
  private readonly unsubscribe: () => void;
  private closed = false;

  constructor(private readonly dependencies: PeerCheckDependencies) {
    const { owners, partitions } = dependencies;
    this.unsubscribe = owners.onOwnerChanged((partition) => this.check(partition, owners.ownerOf(partition)));
    for (let partition = 0; partition < partitions; partition += 1) this.check(partition, owners.ownerOf(partition));
  }

  close(): void {
    this.closed = true;
    this.unsubscribe();
  }

  private check(partition: number, owner: LeaseHolder | undefined): void {
    const { self } = this.dependencies;
    if (owner === undefined || owner.id === self || this.called.has(owner.address)) return;
    this.called.add(owner.address);
    if (this.called.size > MAXIMUM_ADDRESSES) this.called.delete(this.called.values().next().value as string);
    this.call(owner.address, partition, 1);
  }

  private call(address: string, partition: number, attempt: number): void {
    const { path, connections, clock, log, owners } = this.dependencies;
    // Deadlines are counted by the machine's clock.
    const deadlineMs = Date.now() + ANSWER_LIMIT_MS;
    connections.send(address, { path, bytes: NOTHING, forwarded: { caller: ITSELF, partition }, deadlineMs }, (error) => {
      if (error === null || this.closed) return;
      const failure = failureOf(error);
      reportFault(log, address, failure);
      if (failure.kind === 'refused' || failure.kind === 'untrusted') return;
      // It starts, or is away: whether it lets this instance in is not known yet.
      if (attempt < ATTEMPTS && owners.ownerOf(partition)?.address === address) {
        clock.after(PAUSE_MS, () => {
          if (!this.closed) this.call(address, partition, attempt + 1);
        });
      } else this.called.delete(address);
    });
  }
}
