/** The members of a contest in columns, in the order in which they came: ten thousand of them are a few arrays. */

const INITIAL = 16;

/** A member as it is stored. */
export interface MemberRow {
  readonly accountId: string;
  readonly side: number;
  readonly total: number;
  readonly roundPoints: number;
  readonly scoredAtUs: number;
}

export class ContestMembers {
  readonly accountIds: string[] = [];
  sides = new Uint8Array(INITIAL);
  /** Points in the regular rounds that were reconciled. */
  totals = new Float64Array(INITIAL);
  /** Points in the round that runs. */
  roundPoints = new Float64Array(INITIAL);
  /** When the newest score of the round was scored, as far as it was said, microseconds. */
  scoredAtUs = new Float64Array(INITIAL);
  private readonly numbers = new Map<string, number>();

  get count(): number {
    return this.accountIds.length;
  }

  /** -1: the account is no member. */
  numberOf(accountId: string): number {
    return this.numbers.get(accountId) ?? -1;
  }

  add({ accountId, side, total, roundPoints, scoredAtUs }: MemberRow): void {
    const member = this.count;
    if (member === this.sides.length) this.grow();
    this.accountIds.push(accountId);
    this.numbers.set(accountId, member);
    this.sides[member] = side;
    this.totals[member] = total;
    this.roundPoints[member] = roundPoints;
    this.scoredAtUs[member] = scoredAtUs;
  }

  /** A round begins: nobody has points in it. */
  beginRound(): void {
    this.roundPoints.fill(0);
    this.scoredAtUs.fill(0);
  }

  /** The points of the round count in the totals. */
  addRoundToTotals(): void {
    for (let member = 0; member < this.count; member += 1) {
      this.totals[member] = (this.totals[member] as number) + (this.roundPoints[member] as number);
    }
  }

  private grow(): void {
    const size = this.sides.length * 2;
    const sides = new Uint8Array(size);
    sides.set(this.sides);
    this.sides = sides;
    this.totals = grown(this.totals, size);
    this.roundPoints = grown(this.roundPoints, size);
    this.scoredAtUs = grown(this.scoredAtUs, size);
  }
}

function grown(column: Float64Array, size: number): Float64Array<ArrayBuffer> {
  const result = new Float64Array(size);
  result.set(column);
  return result;
}
