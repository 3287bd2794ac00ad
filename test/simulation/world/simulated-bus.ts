/**
 * The bus: keeps messages for every subscriber, and loses, repeats and reorders them on their way as the plan says. What is lost on its way to
 * one subscriber is not sent to it again; it heals from the log.
 */
import type { Bus, BusMessage, BusSubscription } from '@sluice/ports';
import type { Life } from './life';

/** A handler that rejected gets the message again after this time. */
const REDELIVERY_US = 50_000;

/** What the bus's server has. */
export class BusServer {
  readonly messages = new Map<number, BusMessage[]>();
  readonly subscribers = new Map<number, Set<(message: BusMessage) => void>>();

  messagesOf(partition: number): BusMessage[] {
    const messages = this.messages.get(partition) ?? [];
    this.messages.set(partition, messages);
    return messages;
  }

  subscribersOf(partition: number): Set<(message: BusMessage) => void> {
    const subscribers = this.subscribers.get(partition) ?? new Set();
    this.subscribers.set(partition, subscribers);
    return subscribers;
  }

  take(message: BusMessage): void {
    const messages = this.messagesOf(message.partition);
    if (messages.some(({ sequence }) => sequence === message.sequence)) return;
    messages.push(message);
    for (const deliver of this.subscribersOf(message.partition)) deliver(message);
  }
}

export class SimulatedBus implements Bus {
  readonly keepsMessages = true;

  constructor(
    private readonly life: Life,
    private readonly server: BusServer,
  ) {}

  get connected(): boolean {
    return this.life.alive && !this.life.cut;
  }

  publish(message: BusMessage): Promise<void> {
    const kept = message.bytes === undefined ? message : { ...message, bytes: new Uint8Array(message.bytes) };
    return this.life.io(this.life.networkLatency(), () => this.server.take(kept));
  }

  lastSequence(partition: number): Promise<number> {
    return this.life.io(this.life.networkLatency(), () => Math.max(0, ...this.server.messagesOf(partition).map(({ sequence }) => sequence)));
  }

  async subscribe(partition: number, fromSequence: number, handler: (message: BusMessage) => Promise<void>): Promise<BusSubscription> {
    const { life, server } = this;
    const queue: BusMessage[] = [];
    let busy = false;
    let stopped = false;
    const next = (): void => {
      const message = queue[0];
      if (busy || stopped || message === undefined || !life.alive) return;
      busy = true;
      handler(message).then(
        () => {
          queue.shift();
          busy = false;
          next();
        },
        () => {
          life.world.timeline.schedule(REDELIVERY_US, () =>
            life.continue(() => {
              busy = false;
              next();
            }),
          );
        },
      );
    };
    const deliver = (message: BusMessage): void => {
      const { faults, timeline } = life.world;
      if (message.sequence < fromSequence || life.random.chance(faults.busLoses)) return;
      const copies = life.random.chance(faults.busRepeats) ? 2 : 1;
      for (let copy = 0; copy < copies; copy += 1) {
        const { thereUs } = life.networkLatency();
        const lateUs = life.random.chance(faults.busReorders) ? life.random.below(200_000) : 0;
        timeline.schedule(thereUs + lateUs, () => {
          if (life.cut) return;
          life.continue(() => {
            queue.push(message);
            next();
          });
        });
      }
    };
    await life.io(life.networkLatency(), () => {
      for (const message of server.messagesOf(partition)) deliver(message);
      server.subscribersOf(partition).add(deliver);
    });
    return {
      stop: async () => {
        stopped = true;
        server.subscribersOf(partition).delete(deliver);
      },
    };
  }

  async close(): Promise<void> {}
}
