/**
 * The members of a contest by their points: most points first, of equal ones the member that joined first. It is made anew for each change of the
 * points and serves every question about them: a page is a slice, a place among the points is found by halving.
 */
import type { RosterState, StandingsState } from '@sluice/projections/contest';

/** A place in the ranking: that of a member with these points, whether it has them still or not. */
export interface RankedPlace {
  readonly points: number;
  /** Number of the member. */
  readonly member: number;
}

export interface RankedMember extends RankedPlace {
  /** One more than there are members with more points. */
  readonly rank: number;
  readonly accountId: string;
  readonly side: number;
  readonly roundPoints: number;
}

/** Accounts and sides of the members. Those that joined after the points were recorded are at its end. */
export class Roster {
  private numbers: Map<string, number> | undefined;

  constructor(
    readonly state: RosterState,
    /** Of its row. */
    readonly sequence: number,
  ) {}

  /** Undefined: the account is no member. */
  numberOf(accountId: string): number | undefined {
    if (this.numbers === undefined) this.numbers = new Map(this.state.accountIds.map((id, member) => [id, member]));
    return this.numbers.get(accountId);
  }
}

export class Ranking {
  /** Numbers of the members in their order, by side; -1: of all sides. */
  private readonly orders = new Map<number, Uint32Array>();

  constructor(
    private readonly standings: StandingsState,
    readonly roster: Roster,
  ) {}

  get memberCount(): number {
    return this.standings.points.length;
  }

  /** Undefined: the account is no member, or was none when the points were recorded. */
  placeOf(accountId: string): (RankedPlace & { readonly side: number }) | undefined {
    const member = this.roster.numberOf(accountId);
    if (member === undefined || member >= this.memberCount) return undefined;
    return { member, points: this.standings.points[member] as number, side: this.roster.state.sides[member] as number };
  }

  /** How many are ranked. @param side -1: of all sides. */
  count(side: number): number {
    return this.orderOf(side).length;
  }

  /** How many are before the place. */
  before(side: number, place: RankedPlace): number {
    const order = this.orderOf(side);
    let low = 0;
    let high = order.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const member = order[middle] as number;
      if (this.precedes(member, place)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The members from one position on, which begin at 0. */
  slice(side: number, from: number, limit: number): RankedMember[] {
    const order = this.orderOf(side);
    const { points, roundPoints } = this.standings;
    const { accountIds, sides } = this.roster.state;
    const members: RankedMember[] = [];
    let rank = 0;
    for (let at = from; at < Math.min(from + limit, order.length); at += 1) {
      const member = order[at] as number;
      const own = points[member] as number;
      if (rank === 0) rank = this.before(side, { points: own, member: -1 }) + 1;
      else if (own !== points[order[at - 1] as number]) rank = at + 1;
      members.push({
        rank,
        member,
        points: own,
        accountId: accountIds[member] as string,
        side: sides[member] as number,
        roundPoints: roundPoints[member] as number,
      });
    }
    return members;
  }

  private precedes(member: number, place: RankedPlace): boolean {
    const points = this.standings.points[member] as number;
    return points > place.points || (points === place.points && member < place.member);
  }

  private orderOf(side: number): Uint32Array {
    let order = this.orders.get(side);
    if (order !== undefined) return order;
    const { points } = this.standings;
    if (side === -1) {
      order = new Uint32Array(points.length);
      for (let member = 0; member < order.length; member += 1) order[member] = member;
      order.sort((left, right) => (points[right] as number) - (points[left] as number) || left - right);
    } else {
      const { sides } = this.roster.state;
      order = this.orderOf(-1).filter((member) => sides[member] === side);
    }
    this.orders.set(side, order);
    return order;
  }
}
