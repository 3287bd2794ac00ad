/**
 * Transfers of one partition's accounts: from events to rows (transfer-group.ts). A transfer that is recorded and settled within one flush costs
 * no second write. Rows with pending transfers stay in memory up to a bound; of a transfer that is settled later the row is read.
 */
import { TRANSFER_TRANSITIONS } from '@sluice/domain/account';
import type { Row, RowWrite } from '@sluice/ports';
import type { DecodedCommit, EventRecord } from '@sluice/protocol';
import type { LoadedRows, RowKeys, SetAside } from '../projection';
import { TRANSFER_KEYS, TRANSFERS } from './collections';
import { readTransferEvent, type TransferPart } from './transfer-event';
import { GROUP_TRANSFERS, groupOf, groupRow, type GroupedTransfer, transferId, type TransferGroup } from './transfer-group';

export const TRANSFER_AGGREGATE = 'transfer';

type RecordedPart = TransferPart & { readonly kind: 'recorded' };
type SettledPart = TransferPart & { readonly kind: 'settled' };

interface OpenGroup {
  readonly id: string;
  readonly group: TransferGroup;
  /** Commits through this one are in its row as it was read; 0: it is new. */
  readonly has: number;
  /** Made in this flush: the keys of its transfers are to be written. */
  isNew: boolean;
  pending: number;
}

interface Place {
  readonly open: OpenGroup;
  readonly transfer: GroupedTransfer;
}

export class TransferFold {
  /** Groups with pending transfers, and those of this flush, by id; the oldest first. */
  private readonly open = new Map<string, OpenGroup>();
  /** Pending transfers of these groups, by id. */
  private readonly places = new Map<string, Place>();
  /** To be written. */
  private touched = new Set<OpenGroup>();
  /** Verdicts on transfers that are not in memory. */
  private verdicts: SettledPart[] = [];
  private failed: SetAside[] = [];
  /** Groups of one account and event that have room, by target. */
  private filling = new Map<string, OpenGroup>();

  /** @param cachedTransfers pending transfers that are kept in memory, about. */
  constructor(
    private readonly partition: number,
    private readonly cachedTransfers: number,
  ) {}

  take(commit: DecodedCommit, event: EventRecord): void {
    let account: string | undefined;
    readTransferEvent(commit, event, (part) => {
      if (part.fromAccountId !== account) this.filling.clear();
      account = part.fromAccountId;
      if (part.kind === 'recorded') this.record(part);
      else this.takeVerdict(part);
    });
    this.filling.clear();
  }

  /** Rows to be read: those of verdicts on transfers that are not in memory, which may be the first of their row or not. */
  missing(): RowKeys {
    const ids = [...new Set(this.verdicts.map(idOf))];
    return new Map(ids.length === 0 ? [] : [TRANSFERS, TRANSFER_KEYS].map(({ name }) => [name, ids] as const));
  }

  /** Rows that the keys among the loaded rows name. */
  linked(loaded: LoadedRows): RowKeys {
    const ids = new Set<string>();
    for (const row of loaded.get(TRANSFER_KEYS.name)?.values() ?? []) ids.add(row.group_id as string);
    for (const id of loaded.get(TRANSFERS.name)?.keys() ?? []) ids.delete(id);
    return new Map(ids.size === 0 ? [] : [[TRANSFERS.name, [...ids]] as const]);
  }

  /** Writes of everything that was taken since the last time; a transfer that does not continue its row is set aside. */
  project(loaded: LoadedRows, setAside: SetAside[]): RowWrite[] {
    for (const part of this.verdicts) {
      const place = this.places.get(idOf(part)) ?? this.loadedPlace(loaded, part);
      this.settle(part, place);
    }
    this.verdicts = [];
    setAside.push(...this.failed);
    this.failed = [];
    const rows: RowWrite[] = [];
    const keys: RowWrite[] = [];
    for (const open of this.touched) {
      rows.push({ kind: 'put', collection: TRANSFERS.name, row: groupRow(open.group) });
      if (open.isNew) addKeys(keys, open);
      open.isNew = false;
      if (open.pending === 0) this.open.delete(open.id);
    }
    this.touched = new Set();
    this.forgetOldest();
    for (const key of keys) rows.push(key);
    return rows;
  }

  private record(part: RecordedPart): void {
    const { fromAccountId, toAccountId, requestId, unit, amountMinor, pending, sequence, committedAtUs } = part;
    const id = idOf(part);
    if (this.places.has(id) || this.open.has(id)) return this.fail(part, `transfer ${requestId} of account ${fromAccountId} is recorded twice`);
    let open = this.filling.get(toAccountId);
    if (open === undefined || open.group.transfers.length >= GROUP_TRANSFERS) {
      const group = { fromAccountId, toAccountId, unit, createdAtUs: committedAtUs, partition: this.partition, transfers: [], sequence };
      open = { id, group, has: 0, isNew: true, pending: 0 };
      this.filling.set(toAccountId, open);
      this.open.set(id, open);
      this.touched.add(open);
    }
    const transfer: GroupedTransfer = {
      requestId,
      amountMinor,
      state: pending ? 'PENDING' : 'SETTLED',
      rejection: 0,
      targetReason: '',
      settledAtUs: pending ? 0 : committedAtUs,
      sequence,
    };
    open.group.transfers.push(transfer);
    if (pending) this.addPlace(open, transfer);
  }

  private takeVerdict(part: SettledPart): void {
    const place = this.places.get(idOf(part));
    // Verdicts that wait for rows come first.
    if (place === undefined) this.verdicts.push(part);
    else this.settle(part, place);
  }

  private settle(part: SettledPart, place: Place | undefined): void {
    const { fromAccountId, requestId, rejection, targetReason, sequence, committedAtUs } = part;
    if (place !== undefined && place.open.has >= sequence) return;
    const transfer = place?.transfer;
    const next = transfer && (rejection === 0 ? TRANSFER_TRANSITIONS[transfer.state].credited : TRANSFER_TRANSITIONS[transfer.state].refused);
    if (place === undefined || next === undefined) {
      return this.fail(part, `transfer ${requestId} of account ${fromAccountId} has a verdict, and stands at ${transfer?.state ?? 'nothing'}`);
    }
    const { open } = place;
    place.transfer.state = next;
    place.transfer.rejection = rejection;
    place.transfer.targetReason = targetReason;
    place.transfer.settledAtUs = committedAtUs;
    place.transfer.sequence = sequence;
    open.group.sequence = sequence;
    open.pending -= 1;
    this.places.delete(idOf(part));
    this.touched.add(open);
  }

  private addPlace(open: OpenGroup, transfer: GroupedTransfer): void {
    this.places.set(transferId(open.group.fromAccountId, transfer.requestId), { open, transfer });
    open.pending += 1;
  }

  private loadedPlace(loaded: LoadedRows, part: SettledPart): Place | undefined {
    const open = this.openLoaded(loadedRow(loaded, idOf(part)));
    const transfer = open?.group.transfers.find(({ requestId }) => requestId === part.requestId);
    return open && transfer && { open, transfer };
  }

  /** The group of the row: the one in memory, if it is there. */
  private openLoaded(row: Row | undefined): OpenGroup | undefined {
    if (row === undefined) return undefined;
    const id = row.transfer_id as string;
    const known = this.open.get(id);
    if (known !== undefined) return known;
    const group = groupOf(row);
    const open = { id, group, has: group.sequence, isNew: false, pending: 0 };
    for (const transfer of group.transfers) if (transfer.state === 'PENDING') this.addPlace(open, transfer);
    if (open.pending > 0) this.open.set(id, open);
    return open;
  }

  private forgetOldest(): void {
    for (const [id, { group }] of this.open) {
      if (this.places.size <= this.cachedTransfers) return;
      for (const { requestId } of group.transfers) this.places.delete(transferId(group.fromAccountId, requestId));
      this.open.delete(id);
    }
  }

  private fail(part: TransferPart, error: string): void {
    this.failed.push({ aggregate: TRANSFER_AGGREGATE, key: idOf(part), partition: this.partition, sequence: part.sequence, error });
  }
}

function idOf({ fromAccountId, requestId }: TransferPart): string {
  return transferId(fromAccountId, requestId);
}

function loadedRow(loaded: LoadedRows, id: string): Row | undefined {
  const rows = loaded.get(TRANSFERS.name);
  const key = loaded.get(TRANSFER_KEYS.name)?.get(id);
  return rows?.get(id) ?? (key && rows?.get(key.group_id as string));
}

/** The first transfer is found by the key of the row itself. */
function addKeys(keys: RowWrite[], { id, group }: OpenGroup): void {
  const { fromAccountId, transfers, sequence } = group;
  for (let at = 1; at < transfers.length; at += 1) {
    const row = { transfer_id: transferId(fromAccountId, (transfers[at] as GroupedTransfer).requestId), group_id: id, sequence };
    keys.push({ kind: 'put', collection: TRANSFER_KEYS.name, row });
  }
}
