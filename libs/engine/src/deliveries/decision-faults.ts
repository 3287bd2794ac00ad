/**
 * Deliveries whose decision threw, a programmer's error that cost the partition its memory. They are remembered across memories, so that one
 * bad command does not make the partition load again for ever:
 *
 *   a run threw        its commands are decided one by one from then on
 *   one of them threw  it is undecidable in this process: a dead letter after the budget
 */
const MAXIMUM_FAULTS = 1_000;
/** A source's reaction to verdicts may throw so often before its channel is halted. */
const MAXIMUM_REACTIONS = 2;

export class DecisionFaults {
  /** By source: commands through the number are decided one by one. */
  private readonly cautious = new Map<number, number>();
  private readonly undecidable = new Map<string, string>();
  /** By target: how often the reaction to its verdicts threw. */
  private readonly reactions = new Map<number, number>();

  /** A run of commands of the source threw. */
  runThrew(source: number, last: number): void {
    this.cautious.set(source, Math.max(last, this.cautious.get(source) ?? 0));
  }

  /** A single command threw. */
  commandThrew(id: string, error: unknown): void {
    if (this.undecidable.size === MAXIMUM_FAULTS) this.undecidable.delete(this.undecidable.keys().next().value as string);
    this.undecidable.set(id, `the decision failed: ${error instanceof Error ? error.message : String(error)}`);
  }

  decidesSingly(source: number, number: number): boolean {
    return number <= (this.cautious.get(source) ?? 0);
  }

  /** Why the command cannot be decided; undefined: nothing is known against it. */
  reasonAgainst(id: string): string | undefined {
    return this.undecidable.size === 0 ? undefined : this.undecidable.get(id);
  }

  reactionThrew(target: number): void {
    this.reactions.set(target, (this.reactions.get(target) ?? 0) + 1);
  }

  /** Whether verdicts of the target must not be recorded any more by this process. */
  haltsReactions(target: number): boolean {
    return (this.reactions.get(target) ?? 0) >= MAXIMUM_REACTIONS;
  }
}
