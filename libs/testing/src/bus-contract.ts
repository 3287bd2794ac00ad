/**
 * What every `Bus` promises. Since a bus may lose and repeat, the suite asks only for what a healthy one does: it
 * publishes little, waits until it arrives, and looks at the first arrival of every message.
 */
import type { Bus, BusMessage } from '@sluice/ports';
import { hex, patternBytes } from './pattern-bytes';

/** One bus, fresh for a test. */
export interface BusFixture {
  /** Where commits are published. */
  readonly publisher: Bus;
  /** Where they are read; the same object where one does both. */
  readonly reader: Bus;
  /** Closes both and removes what was stored. */
  dispose(): Promise<void>;
}

function message(partition: number, sequence: number, length = 50): BusMessage {
  return { partition, sequence, bytes: patternBytes(partition * 100 + sequence, length) };
}

export function busContract(name: string, makeFixture: (partitions: number) => Promise<BusFixture>): void {
  describe(`bus contract: ${name}`, () => {
    let fixture: BusFixture;

    beforeEach(async () => {
      fixture = await makeFixture(3);
    });

    afterEach(() => fixture.dispose());

    test('messages of the partition arrive in order, to the byte, with their trace context', async () => {
      const arrivals = new Arrivals();
      await fixture.reader.subscribe(1, 1, arrivals.handler);
      await fixture.publisher.publish({ ...message(1, 1, 0), traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' });
      await fixture.publisher.publish(message(0, 1));
      await fixture.publisher.publish(message(1, 2, 100_000));
      await fixture.publisher.publish(message(1, 3));
      await arrivals.until(3);
      expect(arrivals.sequences()).toEqual([1, 2, 3]);
      expect(arrivals.messages.map((arrived) => hex(arrived.bytes as Uint8Array))).toEqual(
        [message(1, 1, 0), message(1, 2, 100_000), message(1, 3)].map((sent) => hex(sent.bytes as Uint8Array)),
      );
      expect(arrivals.messages[0]?.traceparent).toBe('00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01');
      expect(arrivals.messages[1]?.traceparent).toBeUndefined();
    });

    test('a pointer arrives as a pointer', async () => {
      const arrivals = new Arrivals();
      await fixture.reader.subscribe(0, 1, arrivals.handler);
      await fixture.publisher.publish({ partition: 0, sequence: 1, bytes: undefined });
      await arrivals.until(1);
      expect(arrivals.messages[0]).toMatchObject({ partition: 0, sequence: 1 });
      expect(arrivals.messages[0]?.bytes).toBeUndefined();
    });

    test('only the view travels, as it was when it was published; bytes may lie on shared memory', async () => {
      const arrivals = new Arrivals();
      await fixture.reader.subscribe(0, 1, arrivals.handler);
      const large = patternBytes(4, 4096);
      const shared = new Uint8Array(new SharedArrayBuffer(4096));
      shared.set(large);
      await fixture.publisher.publish({ partition: 0, sequence: 1, bytes: large.subarray(50, 150) });
      await fixture.publisher.publish({ partition: 0, sequence: 2, bytes: shared.subarray(50, 150) });
      await arrivals.until(2);
      expect(arrivals.messages.map((arrived) => hex(arrived.bytes as Uint8Array))).toEqual([hex(large.subarray(50, 150)), hex(large.subarray(50, 150))]);
    });

    test('the next message waits for the handler, and a rejected one comes again', async () => {
      const arrivals = new Arrivals();
      let running = 0;
      let refusals = 2;
      await fixture.reader.subscribe(0, 1, async (arrived) => {
        running += 1;
        expect(running).toBe(1);
        await new Promise((resolve) => setImmediate(resolve));
        running -= 1;
        if (arrived.sequence === 2 && refusals-- > 0) throw new Error('not yet');
        await arrivals.handler(arrived);
      });
      for (let sequence = 1; sequence <= 4; sequence += 1) await fixture.publisher.publish(message(0, sequence));
      await arrivals.until(4);
      expect(refusals).toBe(-1);
      expect(new Set(arrivals.sequences())).toEqual(new Set([1, 2, 3, 4]));
    });

    test('a subscription begins where it is told', async () => {
      const arrivals = new Arrivals();
      await fixture.reader.subscribe(0, 3, arrivals.handler);
      for (let sequence = 1; sequence <= 4; sequence += 1) await fixture.publisher.publish(message(0, sequence));
      await arrivals.until(2);
      expect(arrivals.sequences()).toEqual([3, 4]);
    });

    test('publishing again is harmless, and the newest sequence is known', async () => {
      const arrivals = new Arrivals();
      await fixture.reader.subscribe(0, 1, arrivals.handler);
      expect(await fixture.publisher.lastSequence(0)).toBe(0);
      await fixture.publisher.publish(message(0, 1));
      await fixture.publisher.publish(message(0, 1));
      await fixture.publisher.publish(message(0, 2));
      await arrivals.until(2);
      expect(await fixture.publisher.lastSequence(0)).toBe(2);
      expect(await fixture.publisher.lastSequence(1)).toBe(0);
    });

    test('a stopped subscription gets nothing more; a later one goes on', async () => {
      const before = new Arrivals();
      const subscription = await fixture.reader.subscribe(0, 1, before.handler);
      await fixture.publisher.publish(message(0, 1));
      await before.until(1);
      await subscription.stop();
      const after = new Arrivals();
      await fixture.reader.subscribe(0, 2, after.handler);
      await fixture.publisher.publish(message(0, 2));
      await after.until(1);
      expect(before.sequences()).toEqual([1]);
      expect(after.sequences()).toEqual([2]);
    });

    test('it is connected until it is closed', async () => {
      expect([fixture.publisher.connected, fixture.reader.connected]).toEqual([true, true]);
      await fixture.publisher.close();
      expect(fixture.publisher.connected).toBe(false);
      await expect(fixture.publisher.publish(message(0, 1))).rejects.toThrow();
    });
  });
}

/** Collects messages, the first arrival of each, and waits for a number of them. */
class Arrivals {
  readonly messages: BusMessage[] = [];
  #wake: () => void = () => {};

  readonly handler = async (arrived: BusMessage): Promise<void> => {
    if (this.messages.some((known) => known.sequence === arrived.sequence)) return;
    this.messages.push(arrived);
    this.#wake();
  };

  sequences(): number[] {
    return this.messages.map((arrived) => arrived.sequence);
  }

  async until(count: number): Promise<void> {
    while (this.messages.length < count) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
