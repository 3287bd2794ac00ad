/**
 * Transfers as rows: those that one event records from one account to the same target share a row, up to a bound. A hot account then costs the
 * projector a row per commit, and not one per transfer; accounts that transfer now and then have a row per transfer.
 *
 * The key of the row is the id of its first transfer. What is in it follows from the log alone, so a repeated flush makes the same rows, however it
 * is cut. All transfers of a row have one source, one target and one time, so the row stands for them in every listing. Those behind the first one
 * are found by their id in `transfer_keys`.
 */
import { type TransferState } from '@sluice/domain/account';
import type { Row } from '@sluice/ports';
import { ByteReader, ByteWriter } from '@sluice/protocol';

/** Transfers of one row. A verdict rewrites the row. */
export const GROUP_TRANSFERS = 256;

export interface GroupedTransfer {
  readonly requestId: string;
  readonly amountMinor: bigint;
  state: TransferState;
  /** Number of the rejection; 0: not refused. */
  rejection: number;
  /** Of a target of another capability: its reason; empty: there is none. */
  targetReason: string;
  /** 0: not yet. */
  settledAtUs: number;
  /** Last commit that changed it. */
  sequence: number;
}

export interface TransferGroup {
  readonly fromAccountId: string;
  readonly toAccountId: string;
  readonly unit: string;
  readonly createdAtUs: number;
  readonly partition: number;
  /** At least one. */
  readonly transfers: GroupedTransfer[];
  /** Last commit that changed one of them. */
  sequence: number;
}

/** A transfer with what its row says of all of them. */
export type TransferRecord = Omit<TransferGroup, 'transfers'> & GroupedTransfer;

/** The length of the account id keeps two ids apart. */
export function transferId(fromAccountId: string, requestId: string): string {
  return `${fromAccountId.length}:${fromAccountId}${requestId}`;
}

/** The account that a transfer is from, by its id. */
export function fromAccountOf(id: string): string {
  const at = id.indexOf(':') + 1;
  return id.slice(at, at + Number(id.slice(0, at - 1)));
}

export function groupId({ fromAccountId, transfers }: TransferGroup): string {
  return transferId(fromAccountId, (transfers[0] as GroupedTransfer).requestId);
}

/** PENDING if one of them is, else REFUNDED if one of them is, else SETTLED. */
export function groupState({ transfers }: TransferGroup): TransferState {
  let found: TransferState = 'SETTLED';
  for (const { state } of transfers) {
    if (state === 'PENDING') return state;
    if (state === 'REFUNDED') found = state;
  }
  return found;
}

/** What `groupState` says of groups that may hold transfers of the state. */
export const STATES_OF_GROUPS: Readonly<Record<TransferState, readonly TransferState[]>> = {
  PENDING: ['PENDING'],
  REFUNDED: ['PENDING', 'REFUNDED'],
  SETTLED: ['PENDING', 'REFUNDED', 'SETTLED'],
};

export function recordOf({ transfers: _, ...common }: TransferGroup, transfer: GroupedTransfer): TransferRecord {
  return { ...common, ...transfer };
}

export function groupRow(group: TransferGroup): Row {
  return {
    transfer_id: groupId(group),
    from_account_id: group.fromAccountId,
    to_account_id: group.toAccountId,
    state: groupState(group),
    created_at_us: group.createdAtUs,
    transfers: encodeTransfers(group),
    partition: group.partition,
    sequence: group.sequence,
  };
}

export function groupOf(row: Row): TransferGroup {
  const createdAtUs = row.created_at_us as number;
  return {
    fromAccountId: row.from_account_id as string,
    toAccountId: row.to_account_id as string,
    createdAtUs,
    partition: row.partition as number,
    sequence: row.sequence as number,
    ...decodeTransfers(row.transfers as Uint8Array, createdAtUs),
  };
}

/**
 * version | unit | count | transfer …
 * transfer: request id | amount | state | last commit | if it ended: microseconds from creation, number of the rejection, reason of the target
 *
 * Version 1 has no reasons of targets.
 */
const VERSION = 2;
const STATES: readonly TransferState[] = ['PENDING', 'SETTLED', 'REFUNDED'];
/** Numbers of one transfer. */
const NUMBERS_BYTES = 48;
const UTF8_BYTES = 3;
const writer = new ByteWriter(32 * 1024);

function encodeTransfers({ unit, createdAtUs, transfers }: TransferGroup): Uint8Array {
  writer.reset();
  writer.reserve(NUMBERS_BYTES);
  writer.byte(VERSION);
  writeText(unit);
  writer.reserve(NUMBERS_BYTES);
  writer.varint(transfers.length);
  for (const { requestId, amountMinor, state, rejection, targetReason, settledAtUs, sequence } of transfers) {
    writeText(requestId);
    writer.reserve(NUMBERS_BYTES);
    writer.varint64(Number(BigInt.asIntN(32, amountMinor)), Number(BigInt.asIntN(32, amountMinor >> 32n)));
    writer.byte(STATES.indexOf(state));
    writer.varint(sequence);
    if (state === 'PENDING') continue;
    writer.varint(settledAtUs - createdAtUs);
    writer.varint(rejection);
    writeText(targetReason);
  }
  return writer.copy();
}

function writeText(text: string): void {
  writer.reserve(text.length * UTF8_BYTES + NUMBERS_BYTES);
  writer.varint(Buffer.byteLength(text, 'utf8'));
  writer.at += writer.bytes.write(text, writer.at, 'utf8');
}

function decodeTransfers(bytes: Uint8Array, createdAtUs: number): Pick<TransferGroup, 'unit' | 'transfers'> {
  const reader = new ByteReader(bytes, 0, bytes.length);
  const version = reader.varint();
  if (version !== VERSION && version !== 1) throw new Error(`version ${version} of a row of transfers is not known to this version of Sluice`);
  const unit = reader.string();
  const transfers: GroupedTransfer[] = [];
  for (let rest = reader.varint(); rest > 0; rest -= 1) {
    const requestId = reader.string();
    const amountMinor = reader.int64();
    const state = STATES[reader.varint()];
    const sequence = reader.varint();
    if (state === undefined) throw new Error(`the state of transfer ${requestId} is not known to this version of Sluice`);
    const [settledAtUs, rejection] = state === 'PENDING' ? [0, 0] : [createdAtUs + reader.varint(), reader.varint()];
    const targetReason = state === 'PENDING' || version === 1 ? '' : reader.string();
    transfers.push({ requestId, amountMinor, state, rejection, targetReason, settledAtUs, sequence });
  }
  return { unit, transfers };
}
