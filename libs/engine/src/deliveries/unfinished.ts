/** Deliveries of a partition without a verdict, for people: by target, dead letters first, then by number. Read from the log. */
import type { EventLog } from '@sluice/ports';
import { type logpb, owedCommands, timestampFromUs, type DecodedCommit } from '@sluice/protocol';
import { deliveryId } from './delivery-id';
import type { DeliveryRoom } from './delivery-room';
import type { DeliverySender } from './delivery-sender';
import { partsOf, readCommits } from './log-parts';
import type { OutgoingChannel } from './outgoing-channel';
import { lastNumber } from './owed-window';

/** Where a page begins. */
export interface UnfinishedPlace {
  readonly target: number;
  readonly number: number;
}

export interface UnfinishedPage {
  readonly deliveries: readonly logpb.UnfinishedDelivery[];
  /** Undefined: there is no further page. */
  readonly next: UnfinishedPlace | undefined;
}

export interface UnfinishedDependencies {
  readonly partition: number;
  readonly log: EventLog;
  readonly room: DeliveryRoom;
  readonly sender: DeliverySender;
}

export class UnfinishedList {
  private readonly found: logpb.UnfinishedDelivery[] = [];

  constructor(
    private readonly dependencies: UnfinishedDependencies,
    private readonly pageSize: number,
    private readonly deadOnly: boolean,
  ) {}

  /** @param from the place after the page before. */
  async page(from: UnfinishedPlace = { target: 0, number: 0 }): Promise<UnfinishedPage> {
    const channels = [...this.dependencies.room.outgoing.values()].sort((left, right) => left.target - right.target);
    for (const channel of channels) {
      if (channel.target < from.target) continue;
      const next = await this.ofChannel(channel, channel.target === from.target ? from.number : 0);
      if (next !== undefined) return { deliveries: this.found, next: { target: channel.target, number: next } };
    }
    return { deliveries: this.found, next: undefined };
  }

  /** The number that did not fit; undefined: all of them did. */
  private async ofChannel(channel: OutgoingChannel, from: number): Promise<number | undefined> {
    const dead = [...channel.dead.keys()]
      .filter((number) => number >= from && (number <= channel.settled || this.deadOnly))
      .sort((left, right) => left - right);
    for (const number of dead) {
      if (this.found.length === this.pageSize) return number;
      await this.add(channel, number, number);
    }
    const first = Math.max(from, channel.settled + 1);
    if (this.deadOnly || first > channel.owed) return undefined;
    const last = Math.min(channel.owed, first + this.pageSize - this.found.length - 1);
    const added = last < first ? last : await this.add(channel, first, last);
    // What is not durable yet is not there.
    return added < last || last === channel.owed ? undefined : last + 1;
  }

  /** Returns the last number that was found in the log. */
  private async add(channel: OutgoingChannel, first: number, last: number): Promise<number> {
    const { log, partition } = this.dependencies;
    let next = first;
    for (let from = channel.sequenceOf(first); next <= last; ) {
      const { commits, last: read } = await readCommits(log, partition, from);
      for (const commit of commits) next = this.addOfCommit(channel, commit, next, last);
      if (read === undefined) break;
      from = read + 1;
    }
    return next - 1;
  }

  private addOfCommit(channel: OutgoingChannel, commit: DecodedCommit, first: number, last: number): number {
    const { partition: source, sender } = this.dependencies;
    const { target } = channel;
    let next = first;
    for (const part of partsOf(commit, target)) {
      if (lastNumber(part) < next || part.firstNumber > next) continue;
      for (const { key, payload: _payload, owedByKey } of owedCommands(part, next - part.firstNumber)) {
        if (next > last) return next;
        const { owedBy, capability, method } = part;
        const owedAt = timestampFromUs(commit.committedAtUs);
        const where = sender.channelTo(target).describe(next);
        this.found.push({
          deliveryId: deliveryId({ source, target, number: next }),
          ...where,
          source,
          target,
          owedBy,
          owedByKey,
          capability,
          method,
          key,
          owedAt,
          taskId: '',
        });
        next += 1;
      }
    }
    return next;
  }
}
