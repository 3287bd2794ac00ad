/** The fold of the verification shares no reading of events with the projection: an error in that would be on both sides. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What the projection reads events with. */
const READERS_OF_THE_PROJECTION = [
  'account-event',
  'postings-reader',
  'record-columns',
  'account-state',
  'readAccountPostings',
  'ByteReader',
  'accountEvents',
  'ClosingsFold',
  'closings-fold',
  'stated-day',
];

test.each(['day-proof.ts', 'ledger-fold.ts', 'ledger-days.ts', 'branch-day-verification.ts', 'posting-effect.ts', 'record-digest.ts'])(
  '%s reads events by the generated codec alone',
  (file) => {
    const source = readFileSync(join(__dirname, file), 'utf8');
    expect(READERS_OF_THE_PROJECTION.filter((name) => new RegExp(`(?<![A-Za-z])${name}(?![A-Za-z])`).test(source))).toEqual([]);
  },
);
