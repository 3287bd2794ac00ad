import { readFileSync } from 'node:fs';

/** The most memory the process ever had resident (VmHWM), in bytes; undefined where the system does not say. */
export function peakRssBytes(pid: number): number | undefined {
  return statusBytes(pid, /^VmHWM:\s+(\d+) kB$/m);
}

/** The memory that the process has resident now. */
export function rssBytes(pid: number): number | undefined {
  return statusBytes(pid, /^VmRSS:\s+(\d+) kB$/m);
}

function statusBytes(pid: number, line: RegExp): number | undefined {
  try {
    const [, kilobytes] = line.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
  } catch {
    return undefined;
  }
}
