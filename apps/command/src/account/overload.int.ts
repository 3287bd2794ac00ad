/** What does not fit the queue is refused at once, whole, and may come again. */
import { CommandUnderTest, posting, reasonOf, verdictOf } from '../test/command-under-test';

afterAll(() => CommandUnderTest.stopAll());

test('a full queue refuses postings and commands; nothing of them is done; what was taken goes on', async () => {
  const command = await CommandUnderTest.start({ limits: { queueCommands: 10, decideAheadCommands: 1_000 } });
  await command.open({ accountId: 'hot' });
  const release = command.log.faults.holdAppends();
  const flying = command.post(posting('CREDIT', 'flies', 1n));
  await command.log.faults.whenHeld(1);
  const waiting = command.batch(Array.from({ length: 8 }, (_, at) => posting('CREDIT', `w${at}`, 1n)));
  const refused = await command.batch(Array.from({ length: 3 }, (_, at) => posting('CREDIT', `x${at}`, 1n)));
  expect(refused.results.map(verdictOf)).toEqual(['QUEUE_FULL', 'QUEUE_FULL', 'QUEUE_FULL']);
  const fits = command.post(posting('CREDIT', 'fits', 1n));
  const last = command.freeze({ requestId: 'f', accountId: 'hot' });
  expect(await reasonOf(command.post(posting('CREDIT', 'too many', 1n)))).toBe('QUEUE_FULL');
  expect(await reasonOf(command.unfreeze({ requestId: 'u', accountId: 'hot' }))).toBe('QUEUE_FULL');
  release();
  expect((await flying).result?.balanceAfterMinor).toBe(1n);
  expect((await waiting).acceptedCount).toBe(8);
  expect((await fits).result?.balanceAfterMinor).toBe(10n);
  expect((await last).version).toBe(12n);
  expect((await command.batch(Array.from({ length: 3 }, (_, at) => posting('CREDIT', `x${at}`, 1n)))).acceptedCount).toBe(3);
  expect(command.timesRecorded('hot', 'x0')).toBe(1);
});

test('postings that wait when the service stops are finished; later ones are told', async () => {
  const command = await CommandUnderTest.start({ limits: { turnCommands: 2 } });
  await command.open({ accountId: 'hot' });
  const taken = Array.from({ length: 20 }, (_, at) => command.batch([posting('CREDIT', `r${at}`, 1n), posting('CREDIT', 'r0', 1n)]));
  await new Promise<void>((resolve) => setImmediate(resolve));
  await command.stop();
  const answers = await Promise.all(taken);
  for (const { results } of answers) expect(verdictOf(results[0])).toMatch(/^accepted/);
});
