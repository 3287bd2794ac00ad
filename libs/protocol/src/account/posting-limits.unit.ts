/** The limits of docs/errors.md, to the byte: the last size that is taken, and the first that is refused. */
import { Posting, PostingType } from '../generated/sluice/account/v1/account';
import { PostBatchRequest } from '../generated/sluice/account/v1/command_service';
import { scanPostings } from './posting-batch';

const POSTING = { requestId: 'r', accountId: 'a', type: PostingType.POSTING_TYPE_CREDIT, amountMinor: 1n, unit: 'EUR' };
const METADATA_OF_1_024 = { k: 'v'.repeat(1_018) };

/** What the scan finds wrong with the posting; empty: nothing. */
function problemOf(fields: object): string {
  const posting = Posting.fromPartial({ ...POSTING, ...fields });
  let problem = '';
  const issues = { invalid: (_batch: unknown, _index: number, message: string) => (problem = message), unknownType: () => (problem = 'unknown type') };
  scanPostings(PostBatchRequest.encode({ postings: [posting], atomic: false }).finish(), issues).release();
  return problem;
}

/** A signature that makes the posting as long as that. */
function signatureFor(bytes: number): Uint8Array {
  const bare = Posting.encode(Posting.fromPartial({ ...POSTING, metadata: METADATA_OF_1_024 })).finish().length;
  // A tag of one byte and a length of two.
  return Buffer.alloc(bytes - bare - 3);
}

test.each`
  what                 | taken                                                                                      | refused
  ${'a request id'}    | ${{ requestId: 'é'.repeat(64) }}                                                           | ${{ requestId: 'x'.repeat(129) }}
  ${'an account id'}   | ${{ accountId: 'é'.repeat(64) }}                                                           | ${{ accountId: 'x'.repeat(129) }}
  ${'a counterparty'}  | ${{ counterparty: 'x'.repeat(128) }}                                                       | ${{ counterparty: 'x'.repeat(129) }}
  ${'a unit'}          | ${{ unit: 'x'.repeat(16) }}                                                                | ${{ unit: 'x'.repeat(17) }}
  ${'a channel'}       | ${{ channel: 'x'.repeat(64) }}                                                             | ${{ channel: 'x'.repeat(65) }}
  ${'metadata'}        | ${{ metadata: METADATA_OF_1_024 }}                                                         | ${{ metadata: { k: 'v'.repeat(1_019) } }}
  ${'pairs'}           | ${{ metadata: Object.fromEntries(Array.from({ length: 16 }, (_, at) => [`k${at}`, ''])) }} | ${{ metadata: Object.fromEntries(Array.from({ length: 17 }, (_, at) => [`k${at}`, ''])) }}
  ${'the whole of it'} | ${{ metadata: METADATA_OF_1_024, signature: signatureFor(4_096) }}                         | ${{ metadata: METADATA_OF_1_024, signature: signatureFor(4_097) }}
`('$what', ({ taken, refused }: { taken: object; refused: object }) => {
  expect(problemOf(taken)).toBe('');
  expect(problemOf(refused)).toMatch(/bytes|pairs/);
});
