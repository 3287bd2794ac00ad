/**
 * Verdicts in a commit, by aggregate and request id: what a repeat is answered from. They are collected once per decoded commit, because
 * repeats come in flocks.
 */
import type { DecodedCommit } from '@sluice/protocol';

export class RecordedVerdicts<Verdict> {
  private readonly known = new WeakMap<DecodedCommit, ReadonlyMap<string, Verdict>>();

  /** @param collect puts every verdict of the commit into the map, by `verdictKey`. Throws UnknownEventError for an event that it cannot read. */
  constructor(private readonly collect: (commit: DecodedCommit, verdicts: Map<string, Verdict>) => void) {}

  of(commit: DecodedCommit): ReadonlyMap<string, Verdict> {
    const known = this.known.get(commit);
    if (known !== undefined) return known;
    const verdicts = new Map<string, Verdict>();
    this.collect(commit, verdicts);
    this.known.set(commit, verdicts);
    return verdicts;
  }
}

/** Key of a verdict; the length of the aggregate's key keeps two of them apart. */
export function verdictKey(aggregateKey: string, requestId: string): string {
  return `${aggregateKey.length}:${aggregateKey}${requestId}`;
}
