/** Plays a scenario on today's code and writes a new golden history: `record.ts SCENARIO NAME`. */
import { MemoryLogStorage } from '@sluice/memory';
import { writeGolden, type GoldenRequest } from './golden-log';
import { GoldenService, projectedAccounts } from './golden-service';
import { SCENARIOS, type Scenario } from './scenario';

const INCARNATION = '601de2000102030405060708090a0b0c';
const PARTITIONS = 2;

async function record({ accounts, calls }: Scenario, name: string): Promise<void> {
  const service = new GoldenService(new MemoryLogStorage({ partitions: PARTITIONS, incarnation: INCARNATION, createdAtUs: 0 }));
  await service.start();
  const requests: GoldenRequest[] = [];
  for (const step of calls) {
    if ('payload' in step) await service.ask(step);
    else requests.push(await service.call(step.method, step.request));
    await service.clock.elapse(1_000);
    await service.settled();
  }
  writeGolden(name, {
    incarnation: INCARNATION,
    partitions: PARTITIONS,
    commits: service.storage.partitions.map((commits) => commits.map(({ bytes }) => Buffer.from(bytes).toString('base64'))),
    requests,
    accounts: await projectedAccounts(service.storage, accounts),
  });
  await service.stop();
  process.stdout.write(`golden/${name}.json: ${requests.length} requests, ${service.storage.partitions.flat().length} commits\n`);
}

const [, , scenarioName = '', name = ''] = process.argv;
const scenario: Scenario | undefined = (SCENARIOS as Record<string, Scenario>)[scenarioName];
if (scenario === undefined || !/^[\w-]+$/.test(name)) {
  process.stderr.write(`say which scenario (${Object.keys(SCENARIOS).join(', ')}), and the name of the new history, like 2026-11-account-v1\n`);
  process.exitCode = 2;
} else {
  record(scenario, name).catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  });
}
