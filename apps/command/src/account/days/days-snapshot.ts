/**
 * Business dates in a snapshot of accounts: blocks of their own behind those of the accounts, whose order gives the ordinals.
 *
 * A block of accounts begins with the length of a record; one of dates begins with a length that no record has.
 */
import type { SnapshotSession } from '@sluice/engine';
import { accountpb } from '@sluice/protocol/account';
import type { AccountDays, PartitionBranch } from './account-days';
import type { DayColumns } from './day-columns';
import { policyFromProto, policyToProto } from './day-commands';

const MARK = 0xffffffff;
const MARK_BYTES = 4;
/** About 1 MiB of columns. */
const BLOCK_ACCOUNTS = 32_768;

export function isDaysBlock(block: Uint8Array): boolean {
  return block.length >= MARK_BYTES && new DataView(block.buffer, block.byteOffset).getUint32(0, true) === MARK;
}

/** Behind the accounts' own session. */
export class AccountsAndDaysSnapshot implements SnapshotSession {
  private readonly days: Iterator<Uint8Array>;

  /** @param size accounts that there are now. */
  constructor(
    private readonly accounts: SnapshotSession,
    days: AccountDays,
    size: number,
  ) {
    // Columns change while the blocks are taken: what they are now is copied.
    this.days = days.hasDates ? blocksOf(days.datedBranches.map(branchState), days.columns.copy(size), size) : [][Symbol.iterator]();
  }

  next(): Uint8Array | undefined {
    const block = this.accounts.next();
    if (block !== undefined) return block;
    const next = this.days.next();
    return next.done === true ? undefined : next.value;
  }

  end(durable: boolean): void {
    this.accounts.end(durable);
  }
}

function* blocksOf(branches: accountpb.BranchDayState[], columns: DayColumns, size: number): Generator<Uint8Array> {
  yield blockOf({ branches, columns: undefined });
  for (let from = 0; from < size; from += BLOCK_ACCOUNTS) {
    const to = Math.min(from + BLOCK_ACCOUNTS, size);
    yield blockOf({
      branches: [],
      columns: {
        from: BigInt(from),
        lastDayBalances: bytesOf(columns.lastDayBalances.subarray(from, to)),
        lastDayDates: bytesOf(columns.lastDayDates.subarray(from, to)),
        balanceDates: bytesOf(columns.balanceDates.subarray(from, to)),
        accrued: bytesOf(columns.accrued.subarray(from, to)),
        accruedRemainders: bytesOf(columns.accruedRemainders.subarray(from, to)),
        accruedUntil: bytesOf(columns.accruedUntil.subarray(from, to)),
        termUntil: bytesOf(columns.termUntil.subarray(from, to)),
      },
    });
  }
}

function blockOf(block: accountpb.DaysBlock): Uint8Array {
  const bytes = accountpb.DaysBlock.encode(block).finish();
  const marked = Buffer.alloc(MARK_BYTES + bytes.length, 0xff);
  marked.set(bytes, MARK_BYTES);
  return marked;
}

/** Machines that Node runs on are little-endian, but for one that nobody runs Sluice on: columns are stored as they stand in memory. */
function bytesOf(column: Int32Array | BigInt64Array): Buffer {
  return Buffer.from(column.buffer, column.byteOffset, column.byteLength);
}

function branchState(branch: PartitionBranch): accountpb.BranchDayState {
  return {
    branchId: branch.branchId,
    onlineDate: branch.onlineDate,
    closedDate: branch.closedDate,
    nextDate: branch.nextDate,
    rollPolicy: policyToProto(branch.rollPolicy),
    sealedDate: branch.sealedDate,
    totalledDate: branch.totalledDate,
    movements: branch.movements.all.map(({ date, accounts, line, debitMinor, creditMinor, count }) => ({
      date,
      product: accounts.product,
      unit: accounts.unit,
      line,
      debitMinor: debitMinor.toString(),
      creditMinor: creditMinor.toString(),
      count: BigInt(count),
    })),
    outgoing: [...branch.outgoing].map(([date, count]) => ({ date, count: BigInt(count) })),
  };
}

/** Takes a block back in. The accounts are there already. */
export function restoreDays(days: AccountDays, block: Uint8Array): void {
  const { branches, columns } = accountpb.DaysBlock.decode(block.subarray(MARK_BYTES));
  for (const state of branches) restoreBranch(days, state);
  if (columns !== undefined) restoreColumns(days.columns, columns);
}

function restoreBranch(days: AccountDays, state: accountpb.BranchDayState): void {
  const { branchId, onlineDate, closedDate, nextDate, sealedDate, totalledDate } = state;
  const rollPolicy = policyFromProto(state.rollPolicy);
  const branch = days.restoreBranch(branchId, { onlineDate, closedDate, nextDate, sealedDate, totalledDate, rollPolicy });
  for (const { date, product, unit, line, debitMinor, creditMinor, count } of state.movements) {
    const accounts = { branchId, product, unit };
    branch.movements.add(date, days.numbered(accounts), accounts, line, BigInt(debitMinor), BigInt(creditMinor), Number(count));
  }
  for (const { date, count } of state.outgoing) branch.outgoing.set(date, Number(count));
}

function restoreColumns(columns: DayColumns, block: accountpb.DayColumns): void {
  const from = Number(block.from);
  columns.grow(from + (block.lastDayDates.length >> 2));
  columns.lastDayBalances.set(int64s(block.lastDayBalances), from);
  columns.lastDayDates.set(int32s(block.lastDayDates), from);
  columns.balanceDates.set(int32s(block.balanceDates), from);
  columns.accrued.set(int64s(block.accrued), from);
  columns.accruedRemainders.set(int32s(block.accruedRemainders), from);
  columns.accruedUntil.set(int32s(block.accruedUntil), from);
  columns.termUntil.set(int32s(block.termUntil), from);
}

/** Bytes of a message stand anywhere: typed arrays want them aligned. */
function int32s(bytes: Uint8Array): Int32Array {
  return new Int32Array(aligned(bytes));
}

function int64s(bytes: Uint8Array): BigInt64Array {
  return new BigInt64Array(aligned(bytes));
}

function aligned(bytes: Uint8Array): ArrayBuffer {
  const copy = new ArrayBuffer(bytes.length);
  new Uint8Array(copy).set(bytes);
  return copy;
}
