import type { BusMessage } from '@sluice/ports';
import { busContract } from '@sluice/testing';
import { InProcessBus } from './in-process-bus';
import { MessagePortBusPublisher } from './message-port-bus-publisher';
import { MessagePortBusReader } from './message-port-bus-reader';

busContract('in process', async () => {
  const bus = new InProcessBus();
  return { publisher: bus, reader: bus, dispose: () => bus.close() };
});

busContract('across threads', async () => {
  const publisher = new MessagePortBusPublisher();
  const reader = new MessagePortBusReader(publisher.newReader());
  return {
    publisher,
    reader,
    dispose: async () => {
      await reader.close();
      await publisher.close();
    },
  };
});

const message = (sequence: number, length: number): BusMessage => ({ partition: 0, sequence, bytes: new Uint8Array(length) });
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('in process, who falls behind the bound loses the oldest messages, and a late subscription gets what is kept', async () => {
  const bus = new InProcessBus({ retainedBytesPerPartition: 1000 });
  for (let sequence = 1; sequence <= 5; sequence += 1) await bus.publish(message(sequence, 100));
  const seen: number[] = [];
  const arrived = new Promise<void>((resolve) => {
    void bus.subscribe(0, 1, async ({ sequence }) => {
      seen.push(sequence);
      if (sequence === 5) resolve();
    });
  });
  await arrived;
  expect(seen).toEqual([4, 5]);
  await bus.close();
});

test('across threads, messages are dropped while too much is unreleased, and flow again afterwards', async () => {
  const publisher = new MessagePortBusPublisher({ outstandingBytesLimit: 3000 });
  const reader = new MessagePortBusReader(publisher.newReader());
  const seen: number[] = [];
  let letGo: () => void = () => {};
  let holding = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  await reader.subscribe(0, 1, async ({ sequence }) => {
    await holding;
    seen.push(sequence);
  });
  for (let sequence = 1; sequence <= 6; sequence += 1) await publisher.publish(message(sequence, 1000));
  expect(publisher.dropped).toBe(4);
  expect(publisher.outstandingBytes).toBeGreaterThan(2000);
  expect(await publisher.lastSequence(0)).toBe(6);

  letGo();
  holding = Promise.resolve();
  while (publisher.outstandingBytes > 0) await turn();
  await publisher.publish(message(7, 1000));
  while (publisher.outstandingBytes > 0) await turn();
  expect(seen).toEqual([1, 2, 7]);

  // What nobody subscribed to does not count for long either.
  await publisher.publish({ partition: 1, sequence: 1, bytes: new Uint8Array(10) });
  while (publisher.outstandingBytes > 0) await turn();
  await reader.close();
  await publisher.close();
});

test('across threads, nobody waits for a reader that is gone, and another one gets what is published from then on', async () => {
  const publisher = new MessagePortBusPublisher({ outstandingBytesLimit: 3000 });
  const gone = publisher.newReader();
  await publisher.publish(message(1, 2500));
  gone.close();
  while (publisher.connected) await turn();
  await publisher.publish(message(2, 1000));
  expect(publisher.dropped).toBe(1);

  const reader = new MessagePortBusReader(publisher.newReader());
  expect(publisher.connected).toBe(true);
  const arrived = new Promise<number>((resolve) => {
    void reader.subscribe(0, 1, async ({ sequence }) => resolve(sequence));
  });
  await publisher.publish(message(3, 2500));
  expect(await arrived).toBe(3);
  expect(await publisher.lastSequence(0)).toBe(3);
  await reader.close();
  await publisher.close();
});

test('across threads, each end refuses the work of the other', async () => {
  const publisher = new MessagePortBusPublisher();
  const reader = new MessagePortBusReader(publisher.newReader());
  await expect(publisher.subscribe()).rejects.toThrow(/reading end/);
  await expect(reader.publish()).rejects.toThrow(/publishing end/);
  await reader.close();
  await publisher.close();
});
