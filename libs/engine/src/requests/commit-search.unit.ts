/** Requests that are looked for in commits: together, in steps, and only those that are wanted. */
import type { DecodedCommit } from '@sluice/protocol';
import { STEP_BYTES } from '../partition/work-steps';
import { CommitSearch, type RecordedRequests } from './commit-search';

/** A commit is its sequence and the ids that it holds. */
interface Ids {
  readonly sequence: number;
  readonly ids: readonly string[];
}

const BYTES_PER_ID = STEP_BYTES / 4;

class Recorded implements RecordedRequests<string> {
  steps = 0;

  *search(commit: DecodedCommit, wanted: Parameters<RecordedRequests<string>['search']>[1]): Generator<number> {
    const { sequence, ids } = commit as unknown as Ids;
    for (const id of ids) {
      this.steps += 1;
      if (id === 'unreadable') throw new Error(`commit ${sequence} cannot be read`);
      if (wanted.idsOf('a')?.has(id) === true) wanted.found('a', id, `${id} in ${sequence}`);
      yield BYTES_PER_ID;
    }
  }
}

function searchOver(commits: Readonly<Record<number, readonly string[]>>): { search: CommitSearch; recalled: number[] } {
  const recalled: number[] = [];
  const search = new CommitSearch(async (sequence) => {
    recalled.push(sequence);
    const ids = commits[sequence];
    if (ids === undefined) throw new Error(`there is no commit ${sequence}`);
    return { sequence, ids } as unknown as DecodedCommit;
  });
  return { search, recalled };
}

test('a request is found in its commit, and in no other', async () => {
  const { search } = searchOver({ 1: ['x', 'y'], 2: ['z'] });
  const recorded = new Recorded();
  const found = await Promise.all([
    search.find(recorded, 1, 'a', 'y'),
    search.find(recorded, 2, 'a', 'y'),
    search.find(recorded, 1, 'b', 'y'),
    search.find(recorded, 2, 'a', 'z'),
  ]);
  expect(found).toEqual(['y in 1', undefined, undefined, 'z in 2']);
});

test('what waits for one commit is looked for in one pass, whoever asks', async () => {
  const ids = Array.from({ length: 50 }, (_, at) => `id ${at}`);
  const { search, recalled } = searchOver(Object.fromEntries(Array.from({ length: 20 }, (_, at) => [at + 1, ids])));
  const recorded = new Recorded();
  const asked = Array.from({ length: 1_000 }, (_, at) => ({ sequence: 1 + (at % 20), id: `id ${at % 50}` }));
  const found = await Promise.all(asked.map(({ sequence, id }) => search.find(recorded, sequence, 'a', id)));
  expect(found).toEqual(asked.map(({ sequence, id }) => `${id} in ${sequence}`));
  expect(recalled).toHaveLength(20);
  expect(recorded.steps).toBe(20 * 50);
});

test('the event loop runs between two steps, and while verdicts are handed out', async () => {
  const ids = Array.from({ length: 40 }, (_, at) => `id ${at}`);
  const { search } = searchOver({ 1: ids, 2: ids });
  let rounds = 0;
  let watching = true;
  const bystander = (): void => {
    rounds += 1;
    if (watching) setImmediate(bystander);
  };
  bystander();
  const recorded = new Recorded();
  await Promise.all(Array.from({ length: 2_000 }, (_, at) => search.find(recorded, 1 + (at % 2), 'a', `id ${at % 40}`)));
  watching = false;
  const stepsOfBytes = (2 * 40 * BYTES_PER_ID) / STEP_BYTES;
  const stepsOfVerdicts = 2 * Math.floor(1_000 / 256);
  expect(rounds).toBeGreaterThanOrEqual(stepsOfBytes + stepsOfVerdicts);
});

test('a commit that cannot be had or read fails those that wait for it, and no others', async () => {
  const { search } = searchOver({ 1: ['x'], 2: ['unreadable', 'x'] });
  const recorded = new Recorded();
  const found = await Promise.allSettled([1, 2, 3].map((sequence) => search.find(recorded, sequence, 'a', 'x')));
  expect(found.map((result) => (result.status === 'fulfilled' ? result.value : (result.reason as Error).message))).toEqual([
    'x in 1',
    'commit 2 cannot be read',
    'there is no commit 3',
  ]);
  expect(await search.find(recorded, 1, 'a', 'x')).toBe('x in 1');
});
