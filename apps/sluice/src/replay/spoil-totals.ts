/**
 * Changes the points that the read store shows of the sides of a contest, by another hand than the projector's. One change after the other: each is
 * a batch of a projection that no other process knows, whose checkpoint stays where it is.
 */
import type { ReadStore, Row } from '@sluice/ports';
import { CONTESTS, sidePointsOf } from '@sluice/projections/contest';
import type { ShownTotals, SpoilTotals } from '@sluice/replay';

const PROJECTION = 'tampering@1';
/** Of the checkpoint, from the first batch on. A reader takes a projection that is behind another one for one that is being filled. */
const SEQUENCE = 1;
const EXCESS = 1_000;

export function spoilTotalsOf(store: ReadStore): SpoilTotals {
  let last: Promise<unknown> = Promise.resolve();
  return (contestId) => {
    const spoilt = last.then(() => spoil(store, contestId));
    last = spoilt.catch(() => undefined);
    return spoilt;
  };
}

/** Throws if the read store does not have the contest. */
async function spoil(store: ReadStore, contestId: string): Promise<ShownTotals> {
  const copy = await store.current();
  const row = await copy.get(CONTESTS.name, contestId);
  if (row === undefined) throw new Error(`the read store does not have the contest ${contestId}`);
  const partition = row.partition as number;
  const checkpoint = (await copy.checkpoints()).find((one) => one.partition === partition && one.projection === PROJECTION);
  const { sidePoints, sideTotals } = sidePointsOf(row);
  const shown = { roundPoints: exceeded(sidePoints), totals: exceeded(sideTotals) };
  const changed: Row = { ...row, side_round_points: shown.roundPoints.join(), side_points: shown.totals.join() };
  await copy.apply({
    partition,
    projections: [PROJECTION],
    previousSequence: checkpoint?.sequence ?? 0,
    sequence: SEQUENCE,
    committedAtUs: checkpoint?.committedAtUs ?? 0,
    // The row's sequence stays, so a put alone would change nothing.
    writes: [
      { kind: 'delete', collection: CONTESTS.name, key: contestId },
      { kind: 'put', collection: CONTESTS.name, row: changed },
    ],
  });
  return shown;
}

/** Each side by another number, so that the order of the sides changes, too. */
function exceeded(points: readonly number[]): number[] {
  return points.map((value, at) => value + EXCESS * (at + 1));
}
