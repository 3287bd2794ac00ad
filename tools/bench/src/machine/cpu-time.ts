import { readFileSync } from 'node:fs';

/** Linux counts processor time in these, whatever the machine. */
const TICKS_PER_SECOND = 100;
/** Places of utime and stime behind the name of the program, which may hold anything. */
const USER_TICKS = 11;
const SYSTEM_TICKS = 12;

/** Processor time that the process has used, in milliseconds; undefined where the system does not say. */
export function cpuTimeMs(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return ((Number(fields[USER_TICKS]) + Number(fields[SYSTEM_TICKS])) * 1_000) / TICKS_PER_SECOND;
  } catch {
    return undefined;
  }
}
