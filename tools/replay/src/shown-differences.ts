/** Differences as the end of a replay shows them. */

/** Of a kind; the others are counted. */
const MAXIMUM_SHOWN = 20;

export function shownDifferences(kind: string, differences: readonly string[]): string[] {
  const lines = differences.slice(0, MAXIMUM_SHOWN).map((text) => `${kind}: ${text}`);
  return differences.length > lines.length ? [...lines, `… and ${differences.length - lines.length} more`] : lines;
}
