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

test('what can never fit the queue is refused as too large, not as if it might fit later', async () => {
  const command = await CommandUnderTest.start({ limits: { queueCommands: 10, queueBytes: 2_000 } });
  await command.open({ accountId: 'hot' });
  const many = await command.batch(Array.from({ length: 11 }, (_, at) => posting('CREDIT', `m${at}`, 1n)));
  expect(many.results.map(verdictOf)).toEqual(Array.from({ length: 11 }, () => 'BATCH_TOO_LARGE'));
  expect(many.results[0]?.error?.message).toMatch(/has 11 commands .* takes 10 commands and 2000 bytes/);
  const large = await command.batch(
    Array.from({ length: 3 }, (_, at) => posting('CREDIT', `l${at}`, 1n, { metadata: { key: 'x'.repeat(900) } })),
    { atomic: true },
  );
  expect(large.results.map(verdictOf)).toEqual(['BATCH_TOO_LARGE', 'BATCH_TOO_LARGE', 'BATCH_TOO_LARGE']);
  const opened = await command.openMany(Array.from({ length: 11 }, (_, at) => ({ requestId: 'o', accountId: `{one}${at}`, unit: 'EUR' })));
  expect(opened.results.map(({ error }) => error?.reason)).toEqual(Array.from({ length: 11 }, () => 'BATCH_TOO_LARGE'));
  expect((await command.post(posting('CREDIT', 'm0', 1n))).result).toMatchObject({ balanceAfterMinor: 1n, repeated: false });
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
