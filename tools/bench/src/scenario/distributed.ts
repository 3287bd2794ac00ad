/**
 * Hot-account batches through two command processes on MongoDB and JetStream, beside what these servers do when every request
 * goes to them by itself; then how it changes with the number of busy partitions and owners.
 */
import { randomBytes } from 'node:crypto';
import { partitionOfKey } from '@sluice/domain';
import { type RunningServer, ServerNotFoundError, startMongo, startNats } from '@sluice/infra';
import type { Bench } from '../bench';
import type { Calls } from '../load/load-order';
import { proveAccount } from '../measure/proof';
import { medianPerSecond, type Rounds, type Side } from '../measure/rounds';
import { MAXIMUM_OWNERS } from '../options';
import type { FigureName } from '../report/report';
import type { MongoOrder } from '../rival/mongo-order';
import type { NatsOrder } from '../rival/nats-order';
import type { RivalAnswer } from '../rival/rival-order';
import { type Deployment, startDeployment, withDatabase } from '../server/deployment';
import { ackFigures, lagFigures, ratio, sidesTable } from './figures';
import type { Scenario } from './scenario';

const BATCHES_IN_FLIGHT = 8;
const PARTITIONS = MAXIMUM_OWNERS;
const OWNERS = 2;

interface Servers {
  readonly mongo: RunningServer;
  readonly nats: RunningServer;
}

export const distributed: Scenario = {
  run: async (bench) => {
    const { mongo, nats } = await startServers(bench);
    bench.remarks.push(`MongoDB: ${mongo.describe}.`, `NATS: ${nats.describe}.`);
    const run = `bench-${randomBytes(4).toString('hex')}`;
    const urls = { mongoUrl: mongo.url, natsUrl: nats.url };
    const inFlight = bench.options.inFlight ?? BATCHES_IN_FLIGHT;
    const [hot = ''] = accountsOfPartitions(1);
    const batchesTo = (accountIds: readonly string[]): Calls => ({
      kind: 'batches',
      batchSize: bench.options.batchSize,
      account: { kind: 'each', accountIds },
    });

    const mongoRival = bench.startWorker<MongoOrder, RivalAnswer>('rival/mongo.process');
    const natsRival = bench.startWorker<NatsOrder, RivalAnswer>('rival/nats.process');
    const names = [run, ...bench.options.owners.map((owners) => `${run}-${owners}`), `${run}-rival`];
    // Servers of ours go with their folders.
    bench.scratch.defer(async () => {
      if (mongo.kind === 'external') await mongoRival.ask({ kind: 'forget', url: mongo.url, databases: names });
      if (nats.kind === 'external') await natsRival.ask({ kind: 'forget', url: nats.url, deployments: names });
    });
    const rivals = {
      perRequest: rivalSide('one $inc and one insert per request', (windowMs) =>
        mongoRival.ask({ kind: 'post', url: withDatabase(mongo.url, `${run}-rival`), database: `${run}-rival`, warmUpMs: bench.warmUpMs, windowMs }),
      ),
      publishes: rivalSide('one JetStream publish per request', (windowMs) =>
        natsRival.ask({ kind: 'publish', url: nats.url, deployment: `${run}-rival`, warmUpMs: bench.warmUpMs, windowMs }),
      ),
    };

    const deployment = await startDeployment(bench, { ...urls, name: run, partitions: PARTITIONS, owners: OWNERS }, [hot]);
    const rounds = await bench.measure({ sluice: bench.targetSide(`sluice, ${OWNERS} owners`, deployment, batchesTo([hot]), inFlight), ...rivals });
    const sluice = rounds.sluice as Rounds;
    const skipped: Partial<Record<FigureName, string>> = {};
    const peakRssBytes = peakOf(deployment);
    if (peakRssBytes === undefined) skipped.peakRssBytes = 'this system does not tell the peak memory of a process';
    const proof = await proveAccount(bench, deployment, hot);
    await deployment.stop();

    const scale: { owners: number; rounds: Rounds }[] = [];
    for (const owners of bench.options.owners) {
      const accountIds = accountsOfPartitions(owners);
      const scaled = await startDeployment(bench, { ...urls, name: `${run}-${owners}`, partitions: PARTITIONS, owners }, accountIds);
      const { measured } = await bench.measure({
        measured: bench.targetSide(busyName(owners), scaled, batchesTo(accountIds), inFlight),
      });
      scale.push({ owners, rounds: measured as Rounds });
      await scaled.stop();
    }

    const perRequest = rounds.perRequest as Rounds;
    return {
      figures: {
        acceptedPerSecond: medianPerSecond(sluice),
        ...ackFigures(sluice),
        ...lagFigures(sluice),
        readyMs: deployment.readyMs,
        peakRssBytes,
        ...proof,
      },
      distributed: {
        mongodb: mongo.describe,
        nats: nats.describe,
        perRequestPerSecond: medianPerSecond(perRequest),
        ratioToPerRequest: ratio(sluice, perRequest) ?? null,
        publishesPerSecond: medianPerSecond(rounds.publishes as Rounds),
        scale: scale.map(({ owners, rounds: measured }) => ({ partitions: owners, owners, acceptedPerSecond: medianPerSecond(measured) })),
      },
      skipped,
      tables: [
        sidesTable([
          { name: `sluice, one hot account, ${OWNERS} owners`, rounds: sluice },
          { name: 'MongoDB: $inc and insert per request', rounds: perRequest },
          { name: 'JetStream: a publish per request', rounds: rounds.publishes },
        ]),
        sidesTable(scale.map(({ owners, rounds: measured }) => ({ name: busyName(owners), rounds: measured }))),
      ],
    };
  },
};

async function startServers(bench: Bench): Promise<Servers> {
  const progress = (line: string): void => bench.progress.step(line);
  try {
    const mongo = await startMongo({ dataDir: bench.scratch.folder('mongo'), progress });
    bench.scratch.defer(() => mongo.stop());
    const nats = await startNats({ dataDir: bench.scratch.folder('nats'), progress });
    bench.scratch.defer(() => nats.stop());
    return { mongo, nats };
  } catch (error) {
    if (error instanceof ServerNotFoundError) throw new Error(`there are no servers to run it on: ${error.message}`, { cause: error });
    throw error;
  }
}

function rivalSide(name: string, ask: (windowMs: number) => Promise<RivalAnswer>): Side {
  return {
    name,
    warmsUp: false,
    measure: async (windowMs) => {
      const answer = await ask(windowMs);
      return { perSecond: (answer.accepted / answer.windowMs) * 1_000 };
    },
  };
}

/** One account of each of the first partitions. */
function accountsOfPartitions(count: number): string[] {
  const found = new Map<number, string>();
  for (let index = 0; found.size < count; index += 1) {
    const accountId = `hot-account-${index}`;
    const partition = partitionOfKey(Buffer.from(accountId), PARTITIONS);
    if (partition < count && !found.has(partition)) found.set(partition, accountId);
  }
  return [...found.values()];
}

function busyName(owners: number): string {
  return owners === 1 ? '1 busy partition, 1 owner' : `${owners} busy partitions, ${owners} owners`;
}

function peakOf({ commands }: Deployment): number | undefined {
  const peaks = commands.map((server) => server.peakRssBytes()).filter((peak) => peak !== undefined);
  return peaks.length === 0 ? undefined : Math.max(...peaks);
}
