/** What a person sees when everything runs: which servers were taken, where the services are, and what to type next. */
import { SERVICE_NAMES } from './service-name';
import type { Distributed } from './start-distributed';

export function startText({ nats, mongodb, dataDir, of }: Distributed): string {
  const first = (service: (typeof SERVICE_NAMES)[number]): string => of(service)[0]?.address ?? '';
  const addresses = SERVICE_NAMES.map(
    (service) =>
      `  ${service.padEnd(12)}${of(service)
        .map(({ address }) => address)
        .join('  ')}`,
  );
  const metrics = SERVICE_NAMES.flatMap(of).map(({ name, metricsUrl }) => `  ${name.padEnd(12)}${metricsUrl ?? 'off'}`);
  const apart = (['query', 'projector', 'scheduler'] as const).map((service) => `--${service}-target ${first(service)}`);
  const sluice = `npx sluice --target ${first('command')} ${apart.join(' ')}`;
  const account = 'sluice.account.v1';
  return `Sluice runs distributed

  NATS        ${nats.describe}
  MongoDB     ${mongodb.describe}
  data folder ${dataDir}

${addresses.join('\n')}

Prometheus:

${metrics.join('\n')}

Try it, in another terminal:

  ${sluice} account open wallet-1 EUR
  ${sluice} account post wallet-1 CREDIT 2500 EUR
  ${sluice} account get wallet-1
  ${sluice} verify
  ${sluice} timers list

or with grpcurl:

  grpcurl -plaintext ${first('command')} list
  grpcurl -plaintext -d '{"account":{"request_id":"open-2","account_id":"wallet-2","unit":"EUR"}}' ${first('command')} ${account}.AccountCommandService/OpenAccount
  grpcurl -plaintext -d '{"account_id":"wallet-2"}' ${first('query')} ${account}.AccountQueryService/GetAccount
  grpcurl -plaintext ${first('projector')} sluice.projection.v1.ProjectionService/GetStatus
  grpcurl -plaintext ${first('scheduler')} sluice.scheduler.v1.SchedulerService/GetStatus

Ctrl-C stops everything.
`;
}
