/** One row of a grid's job file, and what must become of it as a task. */
import { readCsvFile } from './csv-file';
import { MalformedFileError } from './malformed-file-error';

const GRID_COLUMNS = ['task_id', 'submitted_s', 'run_s', 'requested_s', 'site'] as const;

export interface GridJob {
  /** Line of the file, 1 is the header. */
  readonly line: number;
  readonly jobId: string;
  readonly submittedS: number;
  readonly runS: number;
  /** What its user asked for at most. */
  readonly requestedS: number;
  readonly site: number;
}

/** The limit is this part of what was asked for, so that many jobs do not make it. */
const PART_OF_REQUESTED = 20;
/** Jobs whose run and limit are no further apart may end either way. */
const NEAR_MS = 50;
const INTEGER = /^\d{1,15}$/;

export function readGridFile(file: string): AsyncGenerator<GridJob, void, undefined> {
  return readCsvFile(file, { columns: GRID_COLUMNS, plural: 'jobs', rowOf: gridJobOf });
}

function gridJobOf(file: string, line: number, record: Readonly<Record<string, string>>): GridJob {
  const whole = (column: (typeof GRID_COLUMNS)[number]): number => {
    const value = record[column] ?? '';
    if (!INTEGER.test(value)) throw new MalformedFileError(file, line, `${column} is ${JSON.stringify(value)}, not a whole number`);
    return Number(value);
  };
  return {
    line,
    jobId: String(whole('task_id')),
    submittedS: whole('submitted_s'),
    runS: whole('run_s'),
    requestedS: whole('requested_s'),
    site: whole('site'),
  };
}

/** A second of the file is a thousandth of it at a scale of 1000. */
export function scaledMs(seconds: number, scale: number): number {
  return (seconds * 1_000) / scale;
}

export function limitMsOf({ requestedS }: Pick<GridJob, 'requestedS'>, scale: number): number {
  return scaledMs(requestedS / PART_OF_REQUESTED, scale);
}

export type ExpectedEnd = 'SUCCEEDED' | 'TIMED_OUT' | 'NEAR_LIMIT';

export function expectedEndOf(job: Pick<GridJob, 'runS' | 'requestedS'>, scale: number): ExpectedEnd {
  return endAfter(job, scaledMs(job.runS, scale), scale);
}

/** How a job ends that runs for so long. */
export function endAfter(job: Pick<GridJob, 'requestedS'>, ranMs: number, scale: number): ExpectedEnd {
  const beyondMs = ranMs - limitMsOf(job, scale);
  if (Math.abs(beyondMs) <= NEAR_MS) return 'NEAR_LIMIT';
  return beyondMs > 0 ? 'TIMED_OUT' : 'SUCCEEDED';
}
