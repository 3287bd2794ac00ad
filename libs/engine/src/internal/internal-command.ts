/**
 * Commands that the engine itself asks for: a delivery that another partition owes, a timer that is due, a step of a sweep. A capability
 * decides them like those of callers, in the partition's turns. Each has a derived id, so that it has one verdict whoever asks again.
 */
import type { CapabilityState } from '../capability';
import type { Turn } from '../partition/turn';

export interface InternalCommand {
  /** Who decides it, like "account". */
  readonly capability: string;
  /** What is asked of the capability; its own name for it. */
  readonly method: string;
  /** The aggregate, by its key. */
  readonly key: string;
  /** The encoded message that the method takes. */
  readonly payload: Uint8Array;
  /** Of the delivery, of the timer and its due time, or of the step. */
  readonly id: string;
  readonly origin: 'delivery' | 'timer' | 'sweep';
  /** Of a timer: the id that the capability gave to it. */
  readonly timerId?: string;
}

export type InternalVerdict =
  | { readonly kind: 'accepted'; readonly payload: Uint8Array }
  /** Final; the reason is recorded. */
  | { readonly kind: 'rejected'; readonly reason: string; readonly payload: Uint8Array }
  /** Nobody here can decide it, and nothing is recorded: a capability or method that is not known, a payload that does not decode. */
  | { readonly kind: 'undecidable'; readonly reason: string };

/** Finds the state of a capability; undefined: this version of the program does not have it. */
export type StateByCapability = (capability: string) => CapabilityState | undefined;

/**
 * One verdict for each command, in order. Consecutive commands for one capability reach it at once. The list ends with the first command that
 * cannot be decided, and nothing behind it is decided: who asks decides whether to wait or to go on without it.
 */
export function decideInternal(turn: Turn, commands: readonly InternalCommand[], stateOf: StateByCapability): InternalVerdict[] {
  const verdicts: InternalVerdict[] = [];
  for (let from = 0; from < commands.length; ) {
    const { capability } = commands[from] as InternalCommand;
    let to = from + 1;
    while (to < commands.length && commands[to]?.capability === capability) to += 1;
    const run = from === 0 && to === commands.length ? commands : commands.slice(from, to);
    for (const verdict of decideRun(turn, capability, run, stateOf(capability))) verdicts.push(verdict);
    if (verdicts.length < to || verdicts.at(-1)?.kind === 'undecidable') break;
    from = to;
  }
  return verdicts;
}

/** One verdict for each command: goes on behind those that cannot be decided, which wait on their own. */
export function decideEach(turn: Turn, commands: readonly InternalCommand[], stateOf: StateByCapability): InternalVerdict[] {
  const verdicts = decideInternal(turn, commands, stateOf);
  while (verdicts.length < commands.length) for (const verdict of decideInternal(turn, commands.slice(verdicts.length), stateOf)) verdicts.push(verdict);
  return verdicts;
}

function decideRun(turn: Turn, capability: string, run: readonly InternalCommand[], state: CapabilityState | undefined): readonly InternalVerdict[] {
  if (state?.decideInternal === undefined) {
    return [{ kind: 'undecidable', reason: `this version of Sluice has no capability ${capability} that takes such commands` }];
  }
  const verdicts = state.decideInternal(turn, run);
  const undecidable = verdicts.findIndex(({ kind }) => kind === 'undecidable');
  const expected = undecidable === -1 ? run.length : undecidable + 1;
  if (verdicts.length !== expected) throw new Error(`${capability} gave ${verdicts.length} verdicts on ${run.length} commands, ${expected} were expected`);
  return verdicts;
}
