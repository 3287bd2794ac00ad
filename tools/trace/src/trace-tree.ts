/** A trace as a tree that people read: when each span began, how long it took, whose it is. */
import type { ReceivedSpan } from '@sluice/telemetry';

const NS_PER_MS = 1_000_000;

/** One line per span: begin in ms after the first, duration in ms, service, name; children below their parents, in the order of their begin. */
export function traceTree(spans: readonly ReceivedSpan[]): string[] {
  const ordered = [...spans].sort((left, right) => Number(left.startNs - right.startNs));
  const first = ordered[0];
  if (first === undefined) return [];
  const serviceWidth = Math.max(...ordered.map(({ service }) => service.length));
  const lines: string[] = [];
  const add = (span: ReceivedSpan, lead: string, branch: string): void => {
    const begin = milliseconds(span.startNs - first.startNs).padStart(8);
    const took = milliseconds(span.endNs - span.startNs).padStart(8);
    const failed = span.failure === undefined ? '' : `  failed: ${span.failure}`;
    const links = span.links.length === 0 ? '' : `  links ${span.links.length}`;
    lines.push(`${begin} ${took}  ${span.service.padEnd(serviceWidth)}  ${lead}${branch}${span.name}${links}${failed}`);
    const children = ordered.filter(({ parentSpanId }) => parentSpanId === span.spanId);
    const below = branch === '' ? '' : branch === '└─ ' ? '   ' : '│  ';
    for (const [index, child] of children.entries()) add(child, lead + below, index === children.length - 1 ? '└─ ' : '├─ ');
  };
  const ids = new Set(ordered.map(({ spanId }) => spanId));
  for (const root of ordered.filter(({ parentSpanId }) => !ids.has(parentSpanId))) add(root, '', '');
  return lines;
}

function milliseconds(ns: bigint): string {
  return (Number(ns) / NS_PER_MS).toFixed(2);
}
