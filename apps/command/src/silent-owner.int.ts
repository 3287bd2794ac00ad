/** An owner's host falls silent: nothing closes its connections, and nothing answers on them. */
import { keyHash } from '@sluice/domain';
import { posting, verdictOf } from './test/command-under-test';
import { type SharingInstance, SharingInstances } from './test/sharing-instances';

const ACCOUNTS = Array.from({ length: 24 }, (_, at) => `account ${at}`);

let instances: SharingInstances;
let one: SharingInstance;
let two: SharingInstance;

beforeEach(async () => {
  instances = new SharingInstances({ partitions: 4 });
  one = await instances.start('one');
  two = await instances.start('two');
  await instances.untilShared();
  await one.open(ACCOUNTS);
});

afterEach(() => instances.stop());

function accountsOf({ command: { engine } }: SharingInstance): string[] {
  return ACCOUNTS.filter((accountId) => {
    const bytes = Buffer.from(accountId);
    return engine.partition(engine.partitionOfHash(keyHash(bytes, 0, bytes.length))) !== undefined;
  });
}

test('calls without a deadline that wait for it are answered by the instance that takes its partitions', async () => {
  const accounts = accountsOf(two);
  two.silence();
  const { results } = await one.batch(accounts.map((accountId) => posting('CREDIT', 'c', 5n, { accountId })));
  expect(results.map((result) => [verdictOf(result), result.balanceAfterMinor])).toEqual(accounts.map(() => ['accepted', 5n]));
});

test('what the silent owner did with the request is not done again', async () => {
  const accounts = accountsOf(two);
  two.silenceAnswers();
  const { results } = await one.batch(accounts.map((accountId) => posting('CREDIT', 'c', 5n, { accountId })));
  expect(results.map((result) => [verdictOf(result), result.balanceAfterMinor])).toEqual(accounts.map(() => ['accepted again', 5n]));
});
