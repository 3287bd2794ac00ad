/** Sends what a partition owes, to all targets, while one memory of the partition serves. */
import type { PartitionWorker } from '../internal/engine-room';
import { ChannelSender, type ChannelSenderDependencies } from './channel-sender';

export class DeliverySender implements PartitionWorker {
  private readonly channels = new Map<number, ChannelSender>();

  constructor(private readonly dependencies: ChannelSenderDependencies) {}

  durable(sequence: number): void {
    for (const target of this.dependencies.room.outgoing.keys()) this.channelTo(target).durable(sequence);
  }

  stop(): void {
    for (const channel of this.channels.values()) channel.stop();
  }

  /** Sends now what waits for a pause to be over. */
  drive(): void {
    for (const channel of this.channels.values()) channel.drive();
  }

  channelTo(target: number): ChannelSender {
    let channel = this.channels.get(target);
    if (channel === undefined) {
      channel = new ChannelSender(target, this.dependencies);
      this.channels.set(target, channel);
    }
    return channel;
  }
}
