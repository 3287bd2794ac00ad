import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { METRICS, type MetricTable } from '@sluice/telemetry';
import { CAPABILITY_METRICS, declaredMetrics } from './capability-metrics';

const DOCUMENT = join(__dirname, '..', '..', '..', 'docs', 'metrics.md');

test('docs/metrics.md is the table of metrics, row by row', () => {
  const rows = readFileSync(DOCUMENT, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| `'));
  const table: MetricTable = { ...METRICS, ...CAPABILITY_METRICS };
  expect(rows).toEqual(
    Object.entries(table).map(([name, { kind, unit, attributes, meaning }]) => `| \`${name}\` | ${kind} | ${unit} | ${attributes.join(', ')} | ${meaning} |`),
  );
});

test('a metric is named after its capability', () => {
  const metrics: MetricTable = { 'sluice.turns': { kind: 'counter', unit: '1', attributes: [], meaning: 'taken' } };
  expect(() => declaredMetrics([{ name: 'task', settings: {}, metrics }])).toThrow('must begin with sluice.task.');
});
