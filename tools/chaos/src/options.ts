/** The command line of the chaos runner. */
import { parseArgs } from 'node:util';
import { PLAN_NAMES, type PlanName } from './plan/plan';

export class UsageError extends Error {}

export interface ChaosOptions {
  readonly seed: number;
  readonly minutes: number;
  readonly plan: PlanName;
  readonly json: boolean;
  /** Where the logs go; undefined: a temporary folder, which stays only if the run fails. */
  readonly logs: string | undefined;
}

const DEFAULT_MINUTES = 10;
const LARGEST_SEED = 2 ** 32 - 1;

export const USAGE = `usage: npm run chaos -- [options]

Starts a deployment, lets callers post, takes processes and servers away as the plan says, and judges
what is left: nothing acknowledged is lost, nothing is applied twice, no gap in service above 5 s, lag
below 1 s, few consumers at the lease service, and the memory of every process bounded. Exit code 0 only
then; 1 if not, 2 for a wrong option, 130 if a second Ctrl-C ended it.
Ctrl-C ends the faults and judges what was done so far.

  --plan NAME   random: every process and server is killed, paused, stopped and restarted (default)
                uptime: only command instances are killed, one a minute, so that everything else lives
                for as long as the run
  --minutes N   how long, at least 0.2 (${DEFAULT_MINUTES})
  --seed N      0 to ${LARGEST_SEED}: the same seed draws the same steps (one at random)
  --logs DIR    where what the processes and servers say is kept (a temporary folder, kept if the run fails)
  --json        one JSON object as the last line; everything else goes to stderr
  --help        this`;

/** Throws UsageError. */
export function parseOptions(argv: readonly string[], anySeed: () => number): { readonly help: boolean; readonly options: ChaosOptions } {
  const values = parse(argv);
  const plan = values.plan ?? 'random';
  if (!isPlanName(plan)) throw new UsageError(`--plan is one of ${PLAN_NAMES.join(', ')}, not ${plan}`);
  const minutes = Number(values.minutes ?? DEFAULT_MINUTES);
  if (!(minutes >= 0.2)) throw new UsageError(`--minutes is a number from 0.2 on, not ${values.minutes}`);
  const seed = values.seed === undefined ? anySeed() : Number(values.seed);
  if (!Number.isInteger(seed) || seed < 0 || seed > LARGEST_SEED)
    throw new UsageError(`--seed is a whole number from 0 to ${LARGEST_SEED}, not ${values.seed}`);
  return { help: values.help ?? false, options: { seed, minutes, plan, json: values.json ?? false, logs: values.logs } };
}

/** The command that repeats the run. */
export function commandOf({ seed, minutes, plan }: ChaosOptions): string {
  return `npm run chaos --${plan === 'random' ? '' : ` --plan ${plan}`} --seed ${seed} --minutes ${minutes}`;
}

function parse(argv: readonly string[]) {
  try {
    const options = {
      plan: { type: 'string' },
      minutes: { type: 'string' },
      seed: { type: 'string' },
      logs: { type: 'string' },
      json: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    } as const;
    return parseArgs({ args: [...argv], allowPositionals: false, options }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function isPlanName(name: string): name is PlanName {
  return (PLAN_NAMES as readonly string[]).includes(name);
}
