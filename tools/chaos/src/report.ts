/** What a run has done and found. */
import { formatTable } from '@sluice/terminal';
import { mebibytes, type ProcessMemory } from './memory-watch';
import { type ChaosOptions, commandOf } from './options';
import type { TargetKind } from './target';
import type { Act } from './plan/step';

export interface DoneStep {
  /** Since the first step could come. */
  readonly atMs: number;
  readonly act: Act;
  readonly target: string;
  readonly kind: TargetKind;
  readonly awayMs: number;
  /** From bringing it back until it did its work again. */
  readonly startedAfterMs: number;
  /** From then until every partition had acknowledged a posting. */
  readonly servedAfterMs: number;
  /** From then until the lag was below its limit; null: not within 10 s. */
  readonly freshAfterMs: number | null;
  /** The longest gap in service that overlaps the step; gaps below a second are 0. */
  readonly gapMs: number;
}

export interface ReportedGap {
  readonly atMs: number;
  readonly partition: number;
  readonly lengthMs: number;
}

export interface ChaosReport {
  readonly plan: string;
  readonly seed: number;
  /** How long steps were done. */
  readonly minutes: number;
  readonly whole: boolean;
  /** One line for each promise that does not hold. */
  readonly complaints: readonly string[];
  readonly steps: readonly DoneStep[];
  readonly acknowledged: number;
  readonly repeated: number;
  readonly lost: number;
  readonly doubled: number;
  readonly longestGapMs: number;
  /** Of a second and more, the longest first. */
  readonly gaps: readonly ReportedGap[];
  /** The largest lag that counts; null: none was measured. */
  readonly worstLagMs: number | null;
  readonly consumers: number;
  readonly mostConsumers: number;
  /** The most memory that any process had; null: not measured. */
  readonly largestMemory: ProcessMemory | null;
  /** The most that a process grew by after it had settled; null: none lived long enough. */
  readonly memoryGrowth: ProcessMemory | null;
  readonly mongodb: string;
  readonly nats: string;
}

const SHOWN_GAPS = 10;

export function reportText(report: ChaosReport, options: ChaosOptions, logs: string | undefined): string {
  const { plan, seed, minutes, whole, complaints, steps, gaps } = report;
  return [
    `chaos, plan ${plan}, seed ${seed}, ${minutes.toFixed(1)} minutes, ${steps.length} steps`,
    '',
    stepsTable(steps),
    '',
    'Figures of the steps are the worst of each row, in seconds. A gap counts for every step that it overlaps.',
    '',
    formatTable(['figure', ''], figures(report)),
    ...(gaps.length === 0 ? [] : ['', formatTable(['gaps of a second and more', 'at', 'seconds'], gapRows(gaps))]),
    ...(gaps.length > SHOWN_GAPS ? [`and ${gaps.length - SHOWN_GAPS} shorter ones`] : []),
    '',
    ...(whole ? ['WHOLE: nothing lost, nothing doubled, log = read store'] : ['NOT WHOLE', ...complaints.map((complaint) => `  - ${complaint}`)]),
    ...(whole ? [] : [`repeat it with: ${commandOf(options)}`]),
    ...(logs === undefined ? [] : [`what the processes and servers said is in ${logs}`]),
  ].join('\n');
}

/** One row for each act on each kind of target. */
function stepsTable(steps: readonly DoneStep[]): string {
  const rows = new Map<string, DoneStep[]>();
  for (const step of steps) {
    const name = `${step.act} ${step.kind}`;
    rows.set(name, [...(rows.get(name) ?? []), step]);
  }
  const worst = (of: readonly DoneStep[], figure: (step: DoneStep) => number | null): string | undefined => {
    const figures = of.map(figure);
    return figures.includes(null) ? 'never' : seconds(Math.max(...figures.map(Number)));
  };
  return formatTable(
    ['what was done', 'times', 'away', 'back after', 'served after', 'fresh after', 'gap'],
    [...rows]
      .sort(([left], [right]) => left.localeCompare(right))
      .map(([name, of]) => [
        name,
        String(of.length),
        worst(of, ({ awayMs }) => awayMs),
        worst(of, ({ startedAfterMs }) => startedAfterMs),
        worst(of, ({ servedAfterMs }) => servedAfterMs),
        worst(of, ({ freshAfterMs }) => freshAfterMs),
        worst(of, ({ gapMs }) => gapMs),
      ]),
  );
}

function figures(report: ChaosReport): [string, string | number][] {
  const { acknowledged, repeated, lost, doubled, longestGapMs, worstLagMs, consumers, mostConsumers, largestMemory, memoryGrowth, mongodb, nats } = report;
  return [
    ['postings acknowledged', acknowledged],
    ['answers repeated', repeated],
    ['lost', String(lost)],
    ['doubled', String(doubled)],
    ['longest gap in service', `${seconds(longestGapMs)} s`],
    ['largest lag after a fault', worstLagMs === null ? 'not measured' : `${seconds(worstLagMs)} s`],
    ['consumers of the leases, at the end and at most', `${consumers}, ${mostConsumers}`],
    ['largest process', memoryText(largestMemory)],
    ['largest growth of a process after its first minute', memoryText(memoryGrowth)],
    ['MongoDB', mongodb],
    ['NATS', nats],
  ];
}

function memoryText(memory: ProcessMemory | null): string {
  return memory === null ? 'not measured' : `${mebibytes(memory.bytes)}, ${memory.process}`;
}

function gapRows(gaps: readonly ReportedGap[]): string[][] {
  return gaps.slice(0, SHOWN_GAPS).map(({ atMs, partition, lengthMs }) => [`partition ${partition}`, clock(atMs), seconds(lengthMs)]);
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1_000).toFixed(1);
}

/** Minutes and seconds, "03:07". */
export function clock(milliseconds: number): string {
  const whole = Math.max(0, Math.floor(milliseconds / 1_000));
  return `${String(Math.floor(whole / 60)).padStart(2, '0')}:${String(whole % 60).padStart(2, '0')}`;
}
