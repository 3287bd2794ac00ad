/**
 * What branches ask of the accounts of a partition, by deliveries (protos/sluice/log/v1/days.proto): new dates, the seal behind a closed date, and the sweep behind
 * a day cut.
 */
import type { RollPolicy } from '@sluice/domain/day';
import type { InternalCommand, InternalVerdict, Turn } from '@sluice/engine';
import { logpb } from '@sluice/protocol';
import { accountEvents, type accountpb } from '@sluice/protocol/account';
import type { AccountTable } from '../account-table';
import type { AccountDays, PartitionBranch } from './account-days';

export const NOTHING_TO_SAY: InternalVerdict = { kind: 'accepted', payload: new Uint8Array(0) };
/** Accounts that a step looks at, at most, whatever it is asked for: a step lets callers' turns pass. */
export const LARGEST_STEP = 10_000;

/** How a method of a branch is decided. What was gathered of postings is written already. Undefined: the payload is not its message. */
export type Decide = (turn: Turn, command: InternalCommand) => InternalVerdict | undefined;

export class DayCommands {
  private readonly methods: ReadonlyMap<string, Decide>;

  constructor(
    private readonly table: AccountTable,
    private readonly days: AccountDays,
    jobs: readonly (readonly [method: string, decide: Decide])[],
  ) {
    this.methods = new Map<string, Decide>([
      ['SetBranchDay', (turn, command) => read(logpb.SetBranchDay, command, (asked) => this.setDay(turn, asked))],
      ['SealBranchDay', (turn, command) => read(logpb.SealBranchDay, command, (asked) => this.seal(turn, asked))],
      ['RollAccounts', (turn, command) => read(logpb.RollAccounts, command, (asked) => this.roll(turn, asked))],
      ...jobs,
    ]);
  }

  has(method: string): boolean {
    return this.methods.has(method);
  }

  /** Decides the run, up to the first command that cannot be read. */
  decide(turn: Turn, method: string, run: readonly InternalCommand[]): InternalVerdict[] {
    const decideOne = this.methods.get(method) as Decide;
    const verdicts: InternalVerdict[] = [];
    // Postings that were decided before belong to the dates before.
    turn.flush();
    for (const command of run) {
      const verdict = decideOne(turn, command) ?? { kind: 'undecidable', reason: `the payload is no ${method}` };
      verdicts.push(verdict);
      if (verdict.kind === 'undecidable') break;
    }
    return verdicts;
  }

  private setDay(turn: Turn, { branchId, onlineDate, closedDate, nextDate, rollPolicy, runId, byHand }: logpb.SetBranchDay): InternalVerdict {
    const branch = this.days.branch(branchId);
    if (branch !== undefined && !byHand && onlineDate <= branch.onlineDate) return NOTHING_TO_SAY;
    const event = { branchId, onlineDate, closedDate, nextDate, rollPolicy, runId, byHand };
    takeBranchDaySet(this.days, event);
    record(turn, 'BranchDaySet', event);
    return NOTHING_TO_SAY;
  }

  private seal(turn: Turn, { branchId, date }: logpb.SealBranchDay): InternalVerdict {
    const branch = this.days.branch(branchId);
    if (branch === undefined || date <= branch.sealedDate || date >= branch.onlineDate) return NOTHING_TO_SAY;
    branch.sealedDate = date;
    record(turn, 'BranchDaySealed', { branchId, date });
    return NOTHING_TO_SAY;
  }

  private roll(turn: Turn, { branchId, date, from, limit }: logpb.RollAccounts): InternalVerdict {
    const step = stepOf(this.days, branchId, from, limit);
    const rolled: accountpb.RolledAccount[] = [];
    const branch = this.days.branch(branchId);
    if (branch !== undefined && date < branch.onlineDate) {
      const { lastDayBalances, lastDayDates } = this.days.columns;
      for (const ordinal of step.ordinals) {
        if ((lastDayDates[ordinal] as number) >= date) continue;
        const balanceMinor = this.table.balanceAt(ordinal);
        if (balanceMinor === lastDayBalances[ordinal]) continue;
        this.days.setLastDay(ordinal, balanceMinor, date);
        rolled.push({ accountId: accountIdAt(this.table, ordinal), balanceMinor });
      }
      record(turn, 'AccountsRolled', {
        branchId,
        date,
        next: BigInt(step.next),
        complete: step.complete,
        lookedAt: BigInt(step.lookedAt),
        accounts: rolled,
      });
    }
    return { kind: 'accepted', payload: stepDone(step, { changed: BigInt(rolled.length) }) };
  }
}

/** The accounts of a branch that a step looks at. */
export interface DayStep {
  readonly ordinals: Iterable<number>;
  readonly lookedAt: number;
  readonly next: number;
  readonly complete: boolean;
  /** Accounts of the branch in this partition. */
  readonly accounts: number;
}

export function stepOf(days: AccountDays, branchId: string, from: bigint, limit: number): DayStep {
  const ordinals = days.ordinalsOf(branchId);
  const accounts = ordinals.length;
  const begin = Math.min(Number(from), accounts);
  const next = Math.min(begin + Math.max(1, Math.min(limit, LARGEST_STEP)), accounts);
  return { ordinals: placesBetween(ordinals, begin, next), lookedAt: next - begin, next, complete: next === accounts, accounts };
}

function* placesBetween(ordinals: { at(place: number): number }, begin: number, end: number): Generator<number> {
  for (let place = begin; place < end; place += 1) yield ordinals.at(place);
}

/** The verdict of a step. */
export function stepDone({ next, complete, accounts, lookedAt }: DayStep, did: Partial<logpb.DayStepDone>): Uint8Array {
  return logpb.DayStepDone.encode({
    changed: 0n,
    totals: [],
    setAside: [],
    ...did,
    next: BigInt(next),
    complete,
    accounts: BigInt(accounts),
    lookedAt: BigInt(lookedAt),
  }).finish();
}

export function accountIdAt(table: AccountTable, ordinal: number): string {
  const key = table.keyAt(ordinal);
  return Buffer.from(key.buffer, key.byteOffset, key.length).toString('utf8');
}

// ---- the log ----

export function takeBranchDaySet(days: AccountDays, { branchId, onlineDate, closedDate, nextDate, rollPolicy, byHand }: accountpb.BranchDaySet): undefined {
  days.setDates(branchId, { onlineDate, closedDate, nextDate, rollPolicy: policyFromProto(rollPolicy), byHand });
}

export function takeBranchDaySealed(days: AccountDays, { branchId, date }: accountpb.BranchDaySealed): undefined {
  existing(days, branchId).sealedDate = date;
}

/** Account by account: ten thousand of them would block the event loop. */
export function* takeAccountsRolled(table: AccountTable, days: AccountDays, { date, accounts }: accountpb.AccountsRolled): Generator<number> {
  for (const { accountId, balanceMinor } of accounts) {
    days.setLastDay(ordinalOf(table, accountId), balanceMinor, date);
    yield accountId.length + 16;
  }
}

export function existing(days: AccountDays, branchId: string): PartitionBranch {
  const branch = days.branch(branchId);
  if (branch === undefined) throw new Error(`branch ${branchId} has an event of its dates, and has none`);
  return branch;
}

export function ordinalOf(table: AccountTable, accountId: string): number {
  const id = Buffer.from(accountId, 'utf8');
  const ordinal = table.ordinalOf(id, 0, id.length);
  if (ordinal === -1) throw new Error(`an end of day names account ${accountId}, which was never opened`);
  return ordinal;
}

export function policyFromProto(policy: number): RollPolicy {
  return policy === logpb.RollPolicy.ROLL_POLICY_AFTER_POSTING ? 'AFTER_POSTING' : 'BEFORE_POSTING';
}

export function policyToProto(policy: RollPolicy): logpb.RollPolicy {
  return policy === 'AFTER_POSTING' ? logpb.RollPolicy.ROLL_POLICY_AFTER_POSTING : logpb.RollPolicy.ROLL_POLICY_BEFORE_POSTING;
}

export function read<Message>(
  codec: { decode(bytes: Uint8Array): Message },
  { payload }: InternalCommand,
  decide: (message: Message) => InternalVerdict,
): InternalVerdict | undefined {
  let message: Message;
  try {
    message = codec.decode(payload);
  } catch {
    return undefined;
  }
  return decide(message);
}

export function record(turn: Turn, ...[name, message]: Parameters<typeof accountEvents.record>): void {
  const { type, version, payload } = accountEvents.record(name, message);
  turn.event(type, version, payload);
}
