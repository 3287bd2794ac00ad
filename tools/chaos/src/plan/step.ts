/** One thing that is done to a process or a server. */
export const ACTS = ['kill', 'pause', 'stop', 'restart'] as const;

/**
 * - kill: SIGKILL, and started again after a while
 * - pause: SIGSTOP, and SIGCONT after a while
 * - stop: SIGTERM, and started again after a while
 * - restart: SIGTERM, and started again at once
 */
export type Act = (typeof ACTS)[number];

export interface Step {
  readonly act: Act;
  /** "command-1", "nats". */
  readonly target: string;
  /** Nothing is done by this lane for so long before the step. */
  readonly calmMs: number;
  /** How long the target is away; 0 for a restart. */
  readonly awayMs: number;
}
