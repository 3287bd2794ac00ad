/** An account, or a caller, that fills its partition's queue: the others are decided in the next turn, and are not refused. */
import { CommandUnderTest, posting, reasonOf } from '../test/command-under-test';

afterAll(() => CommandUnderTest.stopAll());

/** Turns are short, and one commit is on its way: a turn is a commit. */
const LIMITS = { queueCommands: 60, turnCommands: 10, decideAheadCommands: 1_000 };
const HOT = '{one}hot';
const NEAR = '{one}near';

/** Numbers of the commits that have postings of the account, counted from the first. */
function commitsOf(command: CommandUnderTest, accountId: string): number[] {
  return command
    .commits()
    .filter(({ events }) => events.some(({ type }) => type === 'account.PostingsRecorded'))
    .flatMap(({ events }, number) => (events.some(({ payload }) => Buffer.from(payload).includes(accountId)) ? [number] : []));
}

test('a neighbour of a flooded account is not refused, and is decided in the next turn', async () => {
  const command = await CommandUnderTest.start({ limits: LIMITS });
  for (const accountId of [HOT, NEAR]) await command.open({ accountId });
  const release = command.log.faults.holdAppends();
  const flying = command.post(posting('CREDIT', 'flies', 1n, { accountId: HOT }));
  await command.log.faults.whenHeld(1);
  const flood = Array.from({ length: 80 }, (_, at) => reasonOf(command.post(posting('CREDIT', `h${String(at).padStart(2, '0')}`, 1n, { accountId: HOT }))));
  const near = Array.from({ length: 5 }, (_, at) => reasonOf(command.post(posting('CREDIT', `n${at}`, 1n, { accountId: NEAR }))));
  release();
  await flying;
  expect(await Promise.all(near)).toEqual(Array.from({ length: 5 }, () => 'accepted'));
  const verdicts = await Promise.all(flood);
  // Twenty found no room, and five had to leave: the newest.
  expect(verdicts).toEqual(Array.from({ length: 80 }, (_, at) => (at < 55 ? 'accepted' : 'QUEUE_FULL')));
  expect(commitsOf(command, NEAR)).toEqual([1]);
  const recorded = command.recorded().filter(({ accountId }) => accountId === HOT);
  const ids = recorded.flatMap(({ requests }) => requests?.postings.map(({ requestId }) => requestId) ?? []).slice(1);
  expect(ids).toEqual([...ids].sort());
  expect(ids).toHaveLength(55);
  // What was refused may come again.
  expect(await reasonOf(command.post(posting('CREDIT', 'h79', 1n, { accountId: HOT })))).toBe('accepted');
});

test('a caller who floods the queue through many accounts does not crowd out another caller', async () => {
  const command = await CommandUnderTest.start({ limits: LIMITS });
  const accounts = Array.from({ length: 60 }, (_, at) => `{one}${at}`);
  for (const accountId of [HOT, NEAR, ...accounts]) await command.open({ accountId });
  const release = command.log.faults.holdAppends();
  const flying = command.post(posting('CREDIT', 'flies', 1n, { accountId: HOT }));
  await command.log.faults.whenHeld(1);
  command.caller = 'the flooding caller';
  const flood = accounts.map((accountId) => reasonOf(command.post(posting('CREDIT', 'r', 1n, { accountId }))));
  const more = reasonOf(command.post(posting('CREDIT', 'r', 1n, { accountId: HOT })));
  command.caller = 'another caller';
  const other = reasonOf(command.post(posting('CREDIT', 'r', 1n, { accountId: NEAR })));
  release();
  await flying;
  expect(await Promise.all([more, other])).toEqual(['QUEUE_FULL', 'accepted']);
  expect((await Promise.all(flood)).filter((verdict) => verdict === 'QUEUE_FULL')).toHaveLength(1);
  expect(commitsOf(command, NEAR)).toEqual([1]);
});

test('a flooded account answers a batch that has to leave the queue with QUEUE_FULL for each of its postings, and records none of them', async () => {
  const command = await CommandUnderTest.start({ limits: LIMITS });
  for (const accountId of [HOT, NEAR]) await command.open({ accountId });
  const release = command.log.faults.holdAppends();
  const flying = command.post(posting('CREDIT', 'flies', 1n, { accountId: HOT }));
  await command.log.faults.whenHeld(1);
  const batches = Array.from({ length: 3 }, (_, batch) =>
    command.batch(
      Array.from({ length: 20 }, (_, at) => posting('CREDIT', `b${batch}.${at}`, 1n, { accountId: HOT })),
      { atomic: true },
    ),
  );
  const near = command.post(posting('CREDIT', 'n', 1n, { accountId: NEAR }));
  const refused = await (batches[2] as (typeof batches)[number]);
  expect(refused.results.map(({ error }) => error?.reason)).toEqual(Array.from({ length: 20 }, () => 'QUEUE_FULL'));
  expect(refused.results[0]?.error?.message).toMatch(/largest share/);
  release();
  await Promise.all([flying, near, ...batches]);
  expect(command.timesRecorded(HOT, 'b1.0')).toBe(1);
  expect(command.timesRecorded(HOT, 'b2.0')).toBe(0);
});
