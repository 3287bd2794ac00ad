/** An end of day with a bar for each of its steps: lines for a terminal, or lines about what changed for a pipe. */
import type { BatchRun, RunStep } from '@sluice/client';
import { barText, clockText, countText, leftText } from '../output';
import { columnOf, cut, spread } from '../text-columns';
import { stepName, tookText } from './day-view';

const BAR = 24;
/** A pipe hears of a step that is being done so many times at most. */
const TENTHS = 10;

/** @param columns of the terminal; no line is longer. */
export function progressLines(run: BatchRun, columns: number): string[] {
  const names = columnOf(run.steps.map(stepName));
  const lines = [
    spread(`${run.branchId}: ${run.date} → ${run.nextDate}`, stateText(run), columns),
    ...run.steps.map((step, at) => `  ${names[at]}  ${barText(partOf(step), BAR)}  ${stepText(step)}`.trimEnd()),
    ...remarks(run),
  ];
  return lines.map((line) => cut(line, columns));
}

/** What changed since the run was seen before, a line each. */
export function changeLines(before: BatchRun | undefined, run: BatchRun): string[] {
  const lines: string[] = [];
  const say = (at: Date | undefined, text: string): void => {
    lines.push(`${clockText(at)}  ${run.runId}  ${text}`.trimStart());
  };
  if (before === undefined) say(run.begunAt, `closes ${run.date}, ${run.nextDate} is next`);
  for (const [at, step] of run.steps.entries()) {
    const seen = before?.steps[at];
    if (step.endedAt !== undefined && seen?.endedAt === undefined) say(step.endedAt, `${stepName(step)} ended: ${stepText(step)}`);
    else if (step.endedAt === undefined && step.begunAt !== undefined) {
      if (seen?.begunAt === undefined) say(step.begunAt, `${stepName(step)} began`);
      if (step.done > 0n && tenthsOf(step) !== tenthsOf(seen)) say(undefined, `${stepName(step)}: ${stepText(step)}`);
    }
  }
  if (run.state !== (before?.state ?? 'RUNNING')) {
    if (run.state !== 'RUNNING') for (const remark of remarks(run)) say(undefined, remark);
    say(run.state === 'ENDED' ? run.endedAt : undefined, stateText(run));
  }
  return lines;
}

function stateText(run: BatchRun): string {
  const { state, goal } = run;
  switch (state) {
    case 'RUNNING':
      return `RUNNING, to ${goal ?? 'its end'}`;
    case 'WAITING':
      return `WAITING behind ${goal ?? 'its goal'}`;
    case 'PAUSED':
      return 'PAUSED';
    case 'ENDED':
      return `ENDED${run.begunAt === undefined ? '' : ` after ${tookText(run)}`}`;
    default:
      return state satisfies never;
  }
}

function remarks({ stragglers, setAsideCount, setAside: [first], forcedReason }: BatchRun): string[] {
  const remark: string[] = [];
  if (stragglers > 0) remark.push(`transfers that were still on their way when it was sealed: ${countText(stragglers)}`);
  if (setAsideCount > 0)
    remark.push(`accounts set aside: ${countText(setAsideCount)}${first === undefined ? '' : `; the first: ${first.accountId}, ${first.reason}`}`);
  if (forcedReason !== '') remark.push(`forced: ${forcedReason}`);
  return remark;
}

function partOf({ done, total, endedAt }: RunStep): number {
  if (endedAt !== undefined) return 1;
  return total === 0n ? 0 : Number(done) / Number(total);
}

function tenthsOf(step: RunStep | undefined): number {
  return step === undefined ? 0 : Math.floor(partOf(step) * TENTHS);
}

function stepText(step: RunStep): string {
  const { done, total, changed, begunAt, endedAt, rate, remainingMs } = step;
  if (begunAt === undefined) return '';
  if (endedAt !== undefined)
    return [tookText(step), done === 0n ? '' : `${count(done)} looked at, ${count(changed)} changed`].filter((part) => part !== '').join(', ');
  const figures = [
    total === 0n ? '' : `${Math.floor(partOf(step) * 100)}%`,
    done === 0n ? '' : `${count(done)}${total === 0n ? '' : ` of ${count(total)}`}`,
    rate === 0 ? '' : `${countText(Math.round(rate))}/s`,
    remainingMs === 0 ? '' : `${leftText(remainingMs)} left`,
  ];
  return figures.filter((figure) => figure !== '').join(', ');
}

function count(accounts: bigint): string {
  return countText(Number(accounts));
}
