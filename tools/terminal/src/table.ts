/** Tables for people: the first column to the left, figures to the right. */
export type Cell = string | number | undefined;

export function formatTable(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const texts = [head.map(String), ...rows.map((row) => row.map(formatCell))];
  const widths = head.map((_, column) => Math.max(...texts.map((row) => [...(row[column] ?? '')].length)));
  const line = (row: readonly string[]): string =>
    row
      .map((text, column) => (column === 0 ? text.padEnd(widths[column] ?? 0) : text.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd();
  const rule = widths.map((width) => '─'.repeat(width)).join('  ');
  return [line(texts[0] ?? []), rule, ...texts.slice(1).map(line)].join('\n');
}

/** Large figures without fractions, small ones with as many digits as say something. */
export function formatCell(cell: Cell): string {
  if (cell === undefined) return '–';
  if (typeof cell === 'string') return cell;
  if (cell !== 0 && Math.abs(cell) < 10) return cell.toFixed(2);
  return Math.abs(cell) < 100 && !Number.isInteger(cell) ? cell.toFixed(1) : Math.round(cell).toLocaleString('en-US');
}
