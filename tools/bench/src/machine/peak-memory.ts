import { readFileSync } from 'node:fs';

/** The most memory the process ever had resident (VmHWM), in bytes; undefined where the system does not say. */
export function peakRssBytes(pid: number): number | undefined {
  try {
    const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
  } catch {
    return undefined;
  }
}
