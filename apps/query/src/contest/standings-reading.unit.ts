/** What is kept of standings that were read. */
import type { ReadCopy, Row } from '@sluice/ports';
import { CONTEST_ROSTERS, CONTEST_STANDINGS, CONTESTS } from '@sluice/projections/contest';
import { contestpb } from '@sluice/protocol/contest';
import { readChangedContests } from './changed-contests';
import { StandingsReading } from './standings-reading';

const NUMBERS = { round: 0, round_ends_at_us: 0, score_count: 0, created_at_us: 1, started_at_us: 0, ended_at_us: 0, standings_sequence: 1, sequence: 1 };
const TEXTS = {
  title: '',
  phase: 'CREATED',
  side_member_counts: '0,0',
  side_points: '0,0',
  side_round_points: '0,0',
  rounds_won: '0,0',
  winners: '',
  note: '',
};
const FUND = { sudden_death_sides: '', fund_state: '', fund_amount_minor: 0n, paid_minor: 0n, returned_minor: 0n, fund_reason: '' };

/** A read store in which every contest has so many members. */
function storeOf(members: number): { readonly copy: ReadCopy; readonly read: string[] } {
  const read: string[] = [];
  const rows: Readonly<Record<string, Row>> = {
    [CONTESTS.name]: {
      ...NUMBERS,
      ...TEXTS,
      ...FUND,
      side_ids: '["red","blue"]',
      rules: contestpb.ContestRules.encode(contestpb.ContestRules.fromPartial({})).finish(),
    },
    [CONTEST_STANDINGS.name]: { points: new Uint8Array(8 * members), round_points: new Uint8Array(8 * members), sequence: 1 },
    [CONTEST_ROSTERS.name]: { account_ids: JSON.stringify(Array.from({ length: members }, (_, at) => `m${at}`)), sides: new Uint8Array(members), sequence: 1 },
  };
  const get = async (collection: string, key: string): Promise<Row> => {
    if (collection === CONTEST_STANDINGS.name) read.push(key);
    return { ...rows[collection], contest_id: key };
  };
  return { copy: { name: 'copy', get } as unknown as ReadCopy, read };
}

describe('watches go on where the row of one contest is spoilt', () => {
  const { copy } = storeOf(2);
  const getSpoilt = async (collection: string, key: string): Promise<Row> => {
    const row = (await copy.get(collection, key)) as Row;
    return key === 'spoilt' ? { ...row, side_points: '1.5,x' } : row;
  };
  const getMany = (collection: string, keys: readonly string[]): Promise<Row[]> => Promise.all(keys.map((key) => getSpoilt(collection, key)));
  const spoilt = { name: 'copy', get: getSpoilt, getMany } as unknown as ReadCopy;
  const known = new Map(['a', 'spoilt', 'b'].map((key) => [key, 0]));

  test('of standings', async () => {
    expect([...(await new StandingsReading().changed(spoilt, known)).keys()]).toEqual(['a', 'b']);
  });

  test('of contests', async () => {
    expect([...(await readChangedContests(spoilt, known)).keys()]).toEqual(['a', 'b']);
  });
});

const never = (): never => {
  throw new Error('nothing is torn here');
};

test.each`
  members  | kept
  ${0}     | ${12_500}
  ${1_000} | ${196}
`(
  'of contests with $members members about $kept rankings are kept, the ones that were used last',
  async ({ members, kept }: { members: number; kept: number }) => {
    const standings = new StandingsReading();
    const { copy, read } = storeOf(members);
    const ids = Array.from({ length: kept + 10 }, (_, at) => `contest ${at}`);
    for (const id of ids) await standings.read(copy, id, never);
    expect(read).toEqual(ids);
    await standings.read(copy, ids.at(-kept) as string, never);
    expect(read).toHaveLength(ids.length);
    await standings.read(copy, ids[0] as string, never);
    expect(read.at(-1)).toBe(ids[0]);
    expect(read).toHaveLength(ids.length + 1);
  },
);
