/** Events of a contest that stand one behind the other as one: the scores of a turn, and the verdicts on its rewards. */
import type { ContestEvent } from './contest';

/** Evolves a contest as the events do one by one. */
export function gatherEvents(events: readonly ContestEvent[]): readonly ContestEvent[] {
  const gathered: ContestEvent[] = [];
  for (let from = 0; from < events.length; ) {
    let to = from + 1;
    while (to < events.length && joins(events[from] as ContestEvent, events[to] as ContestEvent)) to += 1;
    gathered.push(to === from + 1 ? (events[from] as ContestEvent) : joined(events.slice(from, to)));
    from = to;
  }
  return gathered;
}

function joins(first: ContestEvent, next: ContestEvent): boolean {
  if (first.kind === 'scored') return next.kind === 'scored' && next.round === first.round;
  return first.kind === 'rewardsSettled' && next.kind === 'rewardsSettled';
}

function joined(events: readonly ContestEvent[]): ContestEvent {
  const [first] = events;
  if (first?.kind === 'scored') return { ...first, scores: events.flatMap((event) => (event.kind === 'scored' ? event.scores : [])) };
  return { kind: 'rewardsSettled', rewards: events.flatMap((event) => (event.kind === 'rewardsSettled' ? event.rewards : [])) };
}
