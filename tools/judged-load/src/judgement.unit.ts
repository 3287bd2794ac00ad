import type { accountpb } from '@sluice/protocol/account';
import { complaintsOf, judge } from './judgement';
import type { Acknowledged, Load } from './load';
import type { ServiceCalls } from './service-calls';

const credit = (entryNumber: bigint): Acknowledged => ({ amountMinor: 3n, balanceAfterMinor: 3n * entryNumber, entryNumber });
const entry = (requestId: string, entryNumber: bigint, balanceAfterMinor = 3n * entryNumber) => ({ requestId, entryNumber, balanceAfterMinor });

type Entered = ReturnType<typeof entry>;

async function complaints(acknowledged: Readonly<Record<string, Acknowledged>>, entries: readonly Entered[], equal = true): Promise<string[]> {
  const load = { acknowledged: new Map([['account', new Map(Object.entries(acknowledged))]]), unexpected: [], acknowledgedPostings: 0, repeated: 0 };
  const calls = {
    projectionStatus: async () => ({ partitions: [{ checkpoint: 1n, headSequence: 1n }] }),
    entries: async () => entries as unknown as accountpb.Entry[],
    verification: async () => ({ equal, differences: [] as string[] }),
  };
  return complaintsOf(await judge([load as unknown as Load], calls as unknown as ServiceCalls, { query: '', projector: '' }));
}

test.each`
  what                                      | acknowledged                            | entries                                 | complaint
  ${'everything is whole'}                  | ${{ one: credit(1n), two: credit(2n) }} | ${[entry('one', 1n), entry('two', 2n)]} | ${undefined}
  ${'an acknowledged posting has no entry'} | ${{ one: credit(1n), two: credit(2n) }} | ${[entry('one', 1n)]}                   | ${'1 acknowledged postings are lost: two'}
  ${'a posting has two entries'}            | ${{ one: credit(1n) }}                  | ${[entry('one', 1n), entry('one', 2n)]} | ${'1 postings are applied twice: one'}
  ${'an entry has no acknowledged posting'} | ${{}}                                   | ${[entry('one', 1n)]}                   | ${'1 entries have no acknowledged posting: one'}
  ${'an entry has another balance'}         | ${{ one: credit(1n) }}                  | ${[entry('one', 1n, 4n)]}               | ${'1 entries differ from their answer: one: answered 3 at entry 1, entered 4 at 1, expected 3 at 1'}
  ${'an entry has another number'}          | ${{ one: credit(1n) }}                  | ${[entry('one', 2n, 3n)]}               | ${'1 entries differ from their answer: one: answered 3 at entry 1, entered 3 at 2, expected 3 at 1'}
`('$what', async ({ acknowledged, entries, complaint }: { acknowledged: Record<string, Acknowledged>; entries: Entered[]; complaint: string | undefined }) => {
  const found = await complaints(acknowledged, entries);
  if (complaint === undefined) expect(found).toEqual([]);
  else expect(found).toContain(complaint);
});

test('the fold of the log that differs is a complaint, even without a difference that is named', async () => {
  expect(await complaints({}, [], false)).toEqual(['the fold of the log is not what the read store says']);
});
