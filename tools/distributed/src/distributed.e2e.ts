/** All services as processes of their own: they answer as one, on four ports, and stop in order. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { findGrpcurl, haveServer } from '@sluice/infra';
import type { ServiceName } from './service-name';
import { type Distributed, startDistributed } from './start-distributed';

const possible = haveServer('nats') && haveServer('mongodb');
const grpcurl = findGrpcurl();
const run = promisify(execFile);

const SERVICES: Readonly<Record<ServiceName, readonly string[]>> = {
  command: [
    'sluice.account.v1.AccountCommandService',
    'sluice.businessday.v1.BusinessDayCommandService',
    'sluice.businessday.v1.ProductCommandService',
    'sluice.contest.v1.ContestCommandService',
    'sluice.log.v1.DeliveryService',
    'sluice.log.v1.TimerService',
    'sluice.reservation.v1.ReservationCommandService',
    'sluice.task.v1.ScheduleCommandService',
    'sluice.task.v1.TaskCommandService',
    'sluice.task.v1.TaskLeaseService',
    'sluice.task.v1.TaskWorkerService',
  ],
  query: [
    'sluice.account.v1.AccountQueryService',
    'sluice.businessday.v1.BusinessDayQueryService',
    'sluice.businessday.v1.ProductQueryService',
    'sluice.contest.v1.ContestQueryService',
    'sluice.reservation.v1.ReservationQueryService',
    'sluice.task.v1.ScheduleQueryService',
    'sluice.task.v1.TaskQueryService',
  ],
  projector: ['sluice.log.v1.LogService', 'sluice.projection.v1.ProjectionService'],
  scheduler: ['sluice.scheduler.v1.SchedulerService'],
};

(possible ? describe : describe.skip)('everything, on real servers', () => {
  let distributed: Distributed;
  const lines: string[] = [];
  const deaths: string[] = [];
  beforeAll(async () => {
    distributed = await startDistributed({
      external: false,
      onLine: (name, line) => lines.push(`${name} ${line}`),
      onDeath: (child, how) => deaths.push(`${child.name} ${how}`),
    });
  });
  afterAll(() => distributed.stop());

  const call = async (service: ServiceName, ...rest: string[]): Promise<string> => {
    const [address = '', ...others] = distributed.of(service).map((child) => child.address);
    expect(others.length).toBe(service === 'scheduler' ? 0 : 1);
    const { stdout } = await run(grpcurl ?? '', [
      '-plaintext',
      ...rest.filter((word) => word.startsWith('-') || word.startsWith('{')),
      address,
      ...rest.filter((word) => /^[a-z]/.test(word)),
    ]);
    return stdout;
  };

  const answerOf = async (service: ServiceName, method: string, request: object): Promise<Record<string, unknown>> =>
    JSON.parse(await call(service, '-d', JSON.stringify(request), method)) as Record<string, unknown>;

  test('two of each service and one scheduler run, under their names', () => {
    expect(distributed.processes.map(({ name }) => name)).toEqual([
      'command-1',
      'command-2',
      'query-1',
      'query-2',
      'projector-1',
      'projector-2',
      'scheduler-1',
    ]);
    expect(distributed.processes.every(({ pid }) => pid !== undefined)).toBe(true);
  });

  const withGrpcurl = grpcurl === undefined ? test.skip : test;

  withGrpcurl.each(Object.entries(SERVICES) as [ServiceName, string[]][])('grpcurl lists the services of %s', async (service, names) => {
    const listed = (await call(service, 'list')).split('\n');
    for (const name of [...names, 'grpc.health.v1.Health']) expect(listed).toContain(name);
    expect(listed.filter((name) => name.startsWith('sluice.'))).toEqual([...names].sort());
  });

  withGrpcurl('grpcurl opens an account at one service, posts to it, and reads it at another', async () => {
    const account = 'sluice.account.v1';
    await call('command', '-d', '{"account":{"request_id":"open-1","account_id":"wallet-1","unit":"EUR"}}', `${account}.AccountCommandService/OpenAccount`);
    const posting = '{"posting":{"request_id":"gift-1","account_id":"wallet-1","type":"POSTING_TYPE_CREDIT","amount_minor":2500,"unit":"EUR"}}';
    const { positionToken } = JSON.parse(await call('command', '-d', posting, `${account}.AccountCommandService/Post`)) as { positionToken: string };
    const read = await call('query', '-d', `{"account_id":"wallet-1","position_token":"${positionToken}"}`, `${account}.AccountQueryService/GetAccount`);
    expect(JSON.parse(read)).toMatchObject({ account: { accountId: 'wallet-1', balanceMinor: '2500', entryCount: '1' } });
    // It serves before it has its lease.
    const schedulerStatus = async (): Promise<unknown> => JSON.parse(await call('scheduler', 'sluice.scheduler.v1.SchedulerService/GetStatus'));
    while (!((await schedulerStatus()) as { active?: boolean }).active) await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await schedulerStatus()).toMatchObject({ instanceId: 'scheduler-1', active: true });
    expect(JSON.parse(await call('projector', 'sluice.projection.v1.ProjectionService/GetStatus'))).toHaveProperty('partitions');
  });

  withGrpcurl('a contest is ended by the scheduler, and its owner compares the read store with the log', async () => {
    const contest = 'sluice.contest.v1';
    const ask = (service: ServiceName, method: string, request: object) => answerOf(service, `${contest}.${method}`, request);
    const sides = [
      { side_id: 'red', account_ids: ['r1'] },
      { side_id: 'blue', account_ids: ['b1'] },
    ];
    const of = { contest_id: 'cup' };
    await ask('command', 'ContestCommandService/CreateContest', { ...of, request_id: 'create', sides, rules: { reconcile_wait_ms: 60_000 } });
    await ask('command', 'ContestCommandService/StartContest', { ...of, request_id: 'start' });
    await ask('command', 'ContestCommandService/Score', { ...of, request_id: 'score', account_id: 'b1', points: 7 });
    const { positionToken } = await ask('command', 'ContestCommandService/EndRound', { ...of, request_id: 'end', round: 1 });
    const standings = { ...of, position_token: positionToken };
    expect(await ask('query', 'ContestQueryService/GetStandings', standings)).toMatchObject({ members: [{ rank: 1, accountId: 'b1', points: '7' }, {}] });
    // It answers once more when the contest is over, and ends.
    const watched = await call('query', '-d', JSON.stringify(standings), `${contest}.ContestQueryService/WatchContest`);
    expect(watched).toContain('"CONTEST_PHASE_ENDED"');
    const { rounds } = await ask('query', 'ContestQueryService/GetReconciliation', of);
    expect(rounds).toMatchObject([
      { round: 1, outcome: 'RECONCILIATION_OUTCOME_EQUAL', sides: [{ sideId: 'red' }, { sideId: 'blue', logPoints: '7', readPoints: '7' }] },
    ]);
  });

  withGrpcurl('a reservation is read at another service than it was made, and expires by the scheduler', async () => {
    const reservation = 'sluice.reservation.v1';
    const ask = (service: ServiceName, method: string, request: object) => answerOf(service, `${reservation}.Reservation${method}`, request);
    await ask('command', 'CommandService/SetCapacity', { request_id: 'hall', resource_id: 'hall', capacity: 1 });
    const terms = { number: 'seat-1', resource_id: 'hall', expires_at_us: (Date.now() + 2_000) * 1_000 };
    const { state, positionToken } = await ask('command', 'CommandService/Reserve', { request_id: 'reserve', identity_id: 'ada', ...terms });
    expect(state).toBe('RESERVATION_STATE_RESERVED');
    const token = { position_token: positionToken };
    expect(await ask('query', 'QueryService/GetReservation', { number: 'seat-1', ...token })).toMatchObject({
      reservation: { identityId: 'ada', resourceId: 'hall' },
    });
    const user = await ask('query', 'QueryService/GetUserState', { identity_id: 'ada', ...token });
    expect(user['reservations']).toMatchObject([{ number: 'seat-1' }]);
    // It ends when the reservation is over.
    const watched = await call('query', '-d', JSON.stringify({ number: 'seat-1', ...token }), `${reservation}.ReservationQueryService/WatchReservation`);
    expect(watched).toContain('"RESERVATION_STATE_EXPIRED"');
  });

  test('every process has a Prometheus endpoint', async () => {
    for (const { name, metricsUrl } of distributed.processes) {
      const response = await fetch(metricsUrl ?? '');
      expect({ name, status: response.status }).toEqual({ name, status: 200 });
    }
  });

  test('logs are JSON, one object a line, with the service’s name and without the secret of the keyring', () => {
    expect(lines.length).toBeGreaterThan(distributed.processes.length);
    for (const line of lines) {
      const [, name = '', json = ''] = /^(\S+) (.*)$/.exec(line) ?? [];
      expect(JSON.parse(json)).toMatchObject({ service: `sluice-${name.replace(/-\d+$/, '')}`, level: expect.any(String) });
    }
  });

  test('a process that is killed is told of, and starts again where it was', async () => {
    const [victim] = distributed.of('query');
    const address = victim?.address;
    process.kill(victim?.pid ?? 0, 'SIGKILL');
    while (deaths.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(deaths).toEqual(['query-1 SIGKILL']);
    await victim?.start();
    await victim?.untilServing();
    expect(victim?.address).toBe(address);
  });

  test('everything stops when it is asked to, and says so', async () => {
    await distributed.stop();
    expect(distributed.processes.map(({ pid }) => pid)).toEqual(distributed.processes.map(() => undefined));
    for (const { name } of distributed.processes) expect(lines.filter((line) => line.startsWith(`${name} `)).at(-1)).toContain('"message":"stopped"');
  });
});
