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
import { DayStep } from './day-step';

/** A rolled account, beside its id. */
const ROLLED_BYTES = 16;

export const NOTHING_TO_SAY: InternalVerdict = { kind: 'accepted', payload: new Uint8Array(0) };

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

  private roll(turn: Turn, asked: logpb.RollAccounts): InternalVerdict {
    const { table, days } = this;
    const { branchId, date } = asked;
    const step = new DayStep(days, asked, turn);
    const branch = days.branch(branchId);
    if (branch !== undefined && date < branch.onlineDate) {
      const { lastDayBalances, lastDayDates } = days.columns;
      const rolled: accountpb.RolledAccount[] = [];
      step.over((ordinal) => {
        if ((lastDayDates[ordinal] as number) >= date) return;
        const balanceMinor = table.balanceAt(ordinal);
        if (balanceMinor === lastDayBalances[ordinal]) return;
        days.setLastDay(ordinal, balanceMinor, date);
        const accountId = accountIdAt(table, ordinal);
        rolled.push({ accountId, balanceMinor });
        step.change(accountId.length + ROLLED_BYTES);
      });
      const { next, complete, lookedAt } = step;
      record(turn, 'AccountsRolled', { branchId, date, next: BigInt(next), complete, lookedAt: BigInt(lookedAt), accounts: rolled });
    }
    return { kind: 'accepted', payload: step.verdict() };
  }
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
