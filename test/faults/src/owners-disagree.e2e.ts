import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentials } from '@grpc/grpc-js';
import { NatsLease, NatsLink } from '@sluice/bus-nats';
import { startDistributed } from '@sluice/distributed';
import { haveServer, startMongo, startNats } from '@sluice/infra';
import { accountpb } from '@sluice/protocol';
import { called, QUICK_RECONNECT } from './harness/service-calls';

const PARTITIONS = 2;
const LEASE_TTL_MS = 120_000;
/** Two hops would be a loop; one hop and its refusal are done within moments. */
const ANSWER_LIMIT_MS = 3_000;
const DEPLOYMENTS: Readonly<Record<string, string>> = { 'command-1': 'one', 'command-2': 'two' };

const possible = haveServer('nats') && haveServer('mongodb');

(possible ? test : test.skip)(
  'two instances that each take the other for the owner: a request makes one hop and is refused, it does not go in circles',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-owners-disagree-'));
    const nats = await startNats({ dataDir: join(folder, 'nats'), external: false });
    const mongodb = await startMongo({ dataDir: join(folder, 'mongodb'), external: false });
    const distributed = await startDistributed({
      servers: { nats, mongodb },
      counts: { command: 2, projector: 0, query: 0, scheduler: 0 },
      environment: { SLUICE_SERVERS: '1', SLUICE_CONTAINERS: String(PARTITIONS), SLUICE_LOG_LEVEL: 'warn' },
      environmentOf: (name) => ({ SLUICE_DEPLOYMENT: DEPLOYMENTS[name] ?? '' }),
    });
    try {
      const [one, two] = distributed.of('command');
      if (one === undefined || two === undefined) throw new Error('two instances are needed');
      await Promise.all([one.stop(), two.stop()]);
      // While they are away every partition is given to the other one, in the eyes of each.
      const link = await NatsLink.open({ url: nats.url });
      for (const [self, other] of [
        [one, two],
        [two, one],
      ] as const) {
        const lease = await NatsLease.open({ link, deployment: DEPLOYMENTS[self.name] ?? '' });
        for (let partition = 0; partition < PARTITIONS; partition += 1) {
          expect(await lease.acquire(`command/${partition}`, { id: 'elsewhere', address: other.address }, LEASE_TTL_MS)).toBeDefined();
        }
      }
      await link.close();
      await Promise.all([one.start(), two.start()]);
      await Promise.all([one.untilServing(), two.untilServing()]);

      for (const { address } of [one, two]) {
        const client = new accountpb.AccountCommandServiceClient(address, credentials.createInsecure(), QUICK_RECONNECT);
        const startedMs = Date.now();
        const account = accountpb.AccountOpening.fromPartial({ requestId: 'open', accountId: 'anybody', unit: 'EUR' });
        await expect(called(client.openAccount.bind(client), { account })).rejects.toThrow(/UNAVAILABLE/);
        const posting = accountpb.Posting.fromPartial({
          requestId: 'post',
          accountId: 'anybody',
          type: accountpb.PostingType.POSTING_TYPE_CREDIT,
          amountMinor: 1n,
          unit: 'EUR',
        });
        const { results } = await called(client.postBatch.bind(client), accountpb.PostBatchRequest.fromPartial({ postings: [posting] }));
        expect(results[0]?.error?.reason).toBe('PARTITION_UNAVAILABLE');
        expect(Date.now() - startedMs).toBeLessThan(ANSWER_LIMIT_MS);
        client.close();
      }
    } finally {
      await distributed.stop();
      await Promise.all([nats.stop(), mongodb.stop()]);
      rmSync(folder, { recursive: true, force: true });
    }
  },
  60_000,
);
