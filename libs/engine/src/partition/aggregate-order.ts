/**
 * Which of the submissions in a contended lane go before which: those that share an aggregate are taken in the order in which they came.
 *
 *   joined ──everything before it on its aggregates has left, and it is prepared──▶ free ──▶ taken ──▶ left
 *      └──refused: it waits for its turn to leave, so that what came behind it stays behind what came before it──▶ left
 *
 * A submission that may touch any aggregate waits for all that came before it, and all that come later wait for it.
 */
import type { Place, Stretch } from './place';

export class AggregateOrder {
  /** The newest submission of each aggregate that has not left. */
  private readonly newest = new Map<number, Place>();
  private stretch: Stretch = { open: 0, opening: undefined, closing: undefined };

  /** Counts what the place has to wait for. */
  join(place: Place): void {
    const aggregates = place.waiting.submission.aggregates?.();
    if (aggregates === undefined) this.joinAsBarrier(place);
    else this.joinBehind(place, aggregates);
  }

  /** Lets a place go. `freed` is told which ones can be taken from now on. */
  leave(place: Place, freed: (place: Place) => void): void {
    const leaving = [place];
    const unblock = (blocked: Place): void => {
      blocked.blockers -= 1;
      if (blocked.blockers > 0) return;
      if (blocked.waits) freed(blocked);
      else leaving.push(blocked);
    };
    for (let next = leaving.pop(); next !== undefined; next = leaving.pop()) {
      const { stretch } = next;
      for (const aggregate of next.aggregates) if (this.newest.get(aggregate) === next) this.newest.delete(aggregate);
      if (stretch.opening === next) stretch.opening = undefined;
      stretch.open -= 1;
      next.followers.forEach(unblock);
      if (stretch.open === 0 && stretch.closing !== undefined) unblock(stretch.closing);
    }
  }

  private joinBehind(place: Place, touched: Iterable<number>): void {
    const { newest, stretch } = this;
    const aggregates: number[] = [];
    let last: number | undefined;
    for (const aggregate of touched) {
      if (aggregate === last) continue;
      last = aggregate;
      const before = newest.get(aggregate);
      if (before === place) continue;
      if (before !== undefined) follow(place, before);
      newest.set(aggregate, place);
      aggregates.push(aggregate);
    }
    if (stretch.opening !== undefined) follow(place, stretch.opening);
    stretch.open += 1;
    place.aggregates = aggregates;
    place.stretch = stretch;
  }

  private joinAsBarrier(place: Place): void {
    if (this.stretch.open > 0) {
      this.stretch.closing = place;
      place.blockers += 1;
    }
    this.stretch = { open: 1, opening: place, closing: undefined };
    place.stretch = this.stretch;
  }
}

function follow(place: Place, before: Place): void {
  before.followers.push(place);
  place.blockers += 1;
}
