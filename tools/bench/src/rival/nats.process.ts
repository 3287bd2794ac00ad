/**
 * What JetStream itself takes when every request is a message of its own: published to a file stream and acknowledged, 64 at
 * a time.
 */
import { jetstream, jetstreamManager, RetentionPolicy, StorageType } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { randomUUID } from 'node:crypto';
import { answerOrders } from '../machine/orders';
import { drive } from './drive';
import type { NatsOrder } from './nats-order';
import type { RivalAnswer } from './rival-order';

const PUBLISHERS = 64;
/** About what one posting takes in a commit. */
const MESSAGE_BYTES = 80;

answerOrders<NatsOrder, RivalAnswer>(async (order) => {
  const connection = await connect({ servers: order.url });
  try {
    const manager = await jetstreamManager(connection);
    if (order.kind === 'forget') {
      const names: string[] = [];
      for await (const { config } of manager.streams.list()) names.push(config.name);
      const ours = names.filter((name) => order.deployments.some((deployment) => name.includes(deployment)));
      for (const name of ours) await manager.streams.delete(name);
      return { accepted: 0, windowMs: 0 };
    }
    const subject = `bench.${order.deployment}`;
    await manager.streams.add({ name: `BENCH_${order.deployment}`, subjects: [subject], storage: StorageType.File, retention: RetentionPolicy.Limits });
    const client = jetstream(connection);
    const payload = new Uint8Array(MESSAGE_BYTES);
    const publish = async (): Promise<number> => {
      await client.publish(subject, payload, { msgID: randomUUID() });
      return 1;
    };
    return await drive(Array<typeof publish>(PUBLISHERS).fill(publish), order);
  } finally {
    await connection.close();
  }
});
