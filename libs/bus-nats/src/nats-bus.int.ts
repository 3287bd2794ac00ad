import type { BusMessage, BusSubscription } from '@sluice/ports';
import { busContract, patternBytes } from '@sluice/testing';

import { NatsBus, type NatsBusOptions } from './nats-bus';
import { type NatsLink, NatsUnavailableError } from './nats-link';
import { StreamMismatchError } from './stream-configuration';
import { describeOnNats, freshDeployment, natsServer, openLink } from './test/nats-for-tests';

const INCARNATION = 'c'.repeat(32);
const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

function message(sequence: number, bytes = patternBytes(sequence, 100)): BusMessage {
  return { partition: 1, sequence, bytes };
}

/** Collects what a subscription delivers, and waits for it. */
class Inbox {
  readonly messages: BusMessage[] = [];
  #waiting: (() => void)[] = [];

  readonly handler = async (received: BusMessage): Promise<void> => {
    this.messages.push(received);
    for (const wake of this.#waiting.splice(0)) wake();
  };

  get sequences(): number[] {
    return this.messages.map(({ sequence }) => sequence);
  }

  async until(sequence: number): Promise<void> {
    while (!this.sequences.includes(sequence)) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}

describeOnNats(
  'bus on JetStream',
  () => {
    busContract('JetStream', async () => {
      const [own, links] = [freshDeployment(), await Promise.all([openLink(), openLink()])];
      const [publisher, reader] = await Promise.all(links.map((by) => NatsBus.open({ link: by, deployment: own, incarnation: INCARNATION })));
      return {
        publisher: publisher as NatsBus,
        reader: reader as NatsBus,
        dispose: async () => {
          await Promise.all([publisher?.close(), reader?.close()]);
          await Promise.all(links.map((by) => by.close()));
        },
      };
    });

    let deployment: string;
    let link: NatsLink;
    let bus: NatsBus;
    const subscriptions: BusSubscription[] = [];

    const open = (options: Partial<NatsBusOptions> = {}): Promise<NatsBus> => NatsBus.open({ link, deployment, incarnation: INCARNATION, ...options });
    const stream = (): string => `SLUICE_${deployment}_COMMITS`;
    const stored = async (): Promise<number> => (await link.manager.streams.info(stream())).state.messages;
    const subscribe = async (from: number, through = bus): Promise<Inbox> => {
      const inbox = new Inbox();
      subscriptions.push(await through.subscribe(1, from, inbox.handler));
      return inbox;
    };

    beforeEach(async () => {
      deployment = freshDeployment();
      link = await openLink();
      bus = await open();
    });
    afterEach(async () => {
      await Promise.all(subscriptions.splice(0).map((subscription) => subscription.stop()));
      await bus.close();
      await link.close();
    });

    test('commits come in order, to the byte, with their trace', async () => {
      const inbox = await subscribe(1);
      await bus.publish({ ...message(1), traceparent: TRACEPARENT });
      await bus.publish(message(2));
      await inbox.until(2);
      expect(inbox.messages.map(({ bytes, ...rest }) => ({ ...rest, bytes: Buffer.from(bytes ?? []).toString('hex') }))).toEqual([
        { partition: 1, sequence: 1, traceparent: TRACEPARENT, bytes: Buffer.from(patternBytes(1, 100)).toString('hex') },
        { partition: 1, sequence: 2, bytes: Buffer.from(patternBytes(2, 100)).toString('hex') },
      ]);
    });

    test('a commit above the payload limit of the server goes as a pointer', async () => {
      const inbox = await subscribe(1);
      await bus.publish(message(1, patternBytes(1, 128 * 1024)));
      await bus.publish(message(2, patternBytes(2, 124 * 1024)));
      await bus.publish({ partition: 1, sequence: 3, bytes: undefined });
      await inbox.until(3);
      expect(inbox.messages.map(({ bytes }) => bytes?.length)).toEqual([undefined, 124 * 1024, undefined]);
    });

    test('what is published again is stored once, by the same process and by another', async () => {
      const other = await open();
      for (const publisher of [bus, bus, other, bus]) for (const sequence of [1, 2, 3]) await publisher.publish(message(sequence));
      expect(await stored()).toBe(3);
      expect(await bus.lastSequence(1)).toBe(3);
      expect(await bus.lastSequence(0)).toBe(0);
    });

    test('two publishers of one partition leave each commit once and none out', async () => {
      const other = await open();
      const sequences = Array.from({ length: 20 }, (_, at) => at + 1);
      await Promise.all(
        [bus, other].map(async (publisher) => {
          for (const sequence of sequences) await publisher.publish(message(sequence));
        }),
      );
      const inbox = await subscribe(1);
      await inbox.until(20);
      expect(inbox.sequences).toEqual(sequences);
    });

    test('what the bus lacked can be published after what is newer', async () => {
      for (const sequence of [1, 4, 2, 3, 4]) await bus.publish(message(sequence));
      expect(await bus.lastSequence(1)).toBe(4);
      expect(await (await open()).lastSequence(1)).toBe(4);
      const inbox = await subscribe(1);
      await inbox.until(3);
      expect(inbox.sequences).toEqual([1, 4, 2, 3]);
    });

    test.each([1, 2, 7, 30, 31])('a subscription begins at %d, whatever other partitions published in between', async (from) => {
      for (let sequence = 1; sequence <= 30; sequence += 1) {
        await bus.publish(message(sequence));
        await bus.publish({ ...message(sequence), partition: 0 });
      }
      const inbox = await subscribe(from);
      await bus.publish(message(31));
      await inbox.until(31);
      expect(inbox.sequences).toEqual(Array.from({ length: 32 - from }, (_, at) => from + at));
    });

    test('a message whose handler rejects comes again, before any later one', async () => {
      const seen: number[] = [];
      let resolveDone: () => void;
      const done = new Promise<void>((resolve) => {
        resolveDone = resolve;
      });
      subscriptions.push(
        await bus.subscribe(1, 1, async ({ sequence }) => {
          seen.push(sequence);
          if (seen.length <= 2) throw new Error('not yet');
          if (sequence === 2) resolveDone();
        }),
      );
      await bus.publish(message(1));
      await bus.publish(message(2));
      await done;
      expect(seen).toEqual([1, 1, 1, 2]);
    });

    test('two readers of a partition both get everything', async () => {
      const [one, two] = [await subscribe(1), await subscribe(2, await open({ reader: 'scheduler' }))];
      for (const sequence of [1, 2, 3]) await bus.publish(message(sequence));
      await Promise.all([one.until(3), two.until(3)]);
      expect([one.sequences, two.sequences]).toEqual([
        [1, 2, 3],
        [2, 3],
      ]);
    });

    test('a stopped subscription gets nothing more and leaves no consumer behind', async () => {
      const inbox = new Inbox();
      const subscription = await bus.subscribe(1, 1, inbox.handler);
      await bus.publish(message(1));
      await inbox.until(1);
      await subscription.stop();
      await bus.publish(message(2));
      expect(inbox.sequences).toEqual([1]);
      expect((await link.manager.streams.info(stream())).state.consumer_count).toBe(0);
    });

    test('messages of a log that was restored since are not there for its successor', async () => {
      for (const sequence of [1, 2, 3]) await bus.publish(message(sequence));
      const restored = await open({ incarnation: 'd'.repeat(32) });
      expect(await restored.lastSequence(1)).toBe(0);
      const inbox = await subscribe(1, restored);
      await restored.publish(message(1));
      await restored.publish(message(2));
      await inbox.until(2);
      expect(inbox.sequences).toEqual([1, 2]);
      expect(await restored.lastSequence(1)).toBe(2);
    });

    test('a stream that is deleted is made anew; the owner is told, and readers go on', async () => {
      let lost = 0;
      const owner = await open({ onStreamLost: () => (lost += 1) });
      const inbox = await subscribe(1);
      await owner.publish(message(1));
      await inbox.until(1);
      await link.manager.streams.delete(stream());
      await owner.publish(message(2));
      await inbox.until(2);
      await owner.publish(message(1));
      expect(lost).toBe(1);
      expect(await owner.lastSequence(1)).toBe(2);
      expect(await stored()).toBe(2);
    });

    test('a consumer that is deleted is made anew where its reader stands', async () => {
      const inbox = await subscribe(1);
      await bus.publish(message(1));
      await inbox.until(1);
      for await (const { name } of link.manager.consumers.list(stream())) await link.manager.consumers.delete(stream(), name);
      await bus.publish(message(2));
      await inbox.until(2);
      expect(inbox.sequences).toEqual([1, 2]);
    });

    test('the server is killed and comes back: publishing fails meanwhile, then both sides go on without loss', async () => {
      const inbox = await subscribe(1);
      await bus.publish(message(1));
      await inbox.until(1);
      const restored = new Promise<void>((resolve) => {
        link.onRestored(resolve);
      });
      await natsServer().kill();
      await expect(bus.publish(message(2))).rejects.toBeInstanceOf(NatsUnavailableError);
      expect(bus.connected).toBe(false);
      await natsServer().restart();
      await restored;
      expect(bus.connected).toBe(true);
      await bus.publish(message(2));
      await inbox.until(2);
      expect(await stored()).toBe(2);
    });

    test('a stream that is configured otherwise is refused, naming what differs', async () => {
      await expect(open({ limits: { maxBytes: 5_000_000, maxAgeMs: 1000 * 3600 } })).rejects.toThrow(StreamMismatchError);
      await expect(open({ limits: { maxBytes: 5_000_000 } })).rejects.toThrow('max_bytes is 1073741824, expected 5000000');
    });

    test('a deployment whose name is no name is refused', async () => {
      await expect(open({ deployment: 'a.b' })).rejects.toThrow('the name of a deployment');
    });
  },
  { configuration: 'max_payload: 128KB' },
);
