/** Decides the commands on accounts that are no postings: opening, changing, freezing, closing. */
import { decideAccount, evolveAccount, UNRECORDED_REJECTIONS } from '@sluice/domain/account';
import type { PartitionServices, Turn } from '@sluice/engine';
import type { AccountKey } from '@sluice/ports';
import type { EventRecord } from '@sluice/protocol';
import { OUTCOME_ACCEPTED, OUTCOME_NONE } from '@sluice/protocol/account';
import { changeRecord, rejectionRecord, statusToProto } from './account-events';
import type { AccountTable } from './account-table';
import type { CommandSubmission } from './command-submission';
import type { AccountDays } from './days/account-days';
import { outcomeOf } from './outcomes';
import type { Signatures } from './signatures';

export class CommandDecisions {
  /** Keys that the turn's events name. */
  private keysOfTurn: { readonly turn: Turn; readonly keys: Map<string, AccountKey> } | undefined;

  constructor(
    private readonly services: PartitionServices,
    private readonly table: AccountTable,
    private readonly days: AccountDays,
    private readonly signatures: Signatures,
  ) {}

  decide(turn: Turn, submission: CommandSubmission): void {
    for (let position = 0; position < submission.commandCount; position += 1) this.decideOne(turn, submission, submission.itemAt(position));
  }

  /** The signing key, if the turn that is being decided names it for the first time. */
  keyOfTurn(signingKeyId: string): AccountKey['key'] | undefined {
    return this.keysOfTurn?.keys.get(signingKeyId)?.key;
  }

  private decideOne(turn: Turn, submission: CommandSubmission, position: number): void {
    const item = submission.item(position);
    const { index } = this.services;
    if (item.outcome !== OUTCOME_NONE || submission.setAside(position, item.hashFirst, item.hashSecond)) return;
    const ordinal = this.table.find(item.accountHash, item.accountIdBytes, 0, item.accountIdBytes.length);
    const before = ordinal === -1 ? undefined : this.table.account(ordinal);
    const decision = decideAccount(before, item.command);
    if (!decision.accepted) {
      item.outcome = outcomeOf(decision.rejection);
      if (UNRECORDED_REJECTIONS.has(decision.rejection)) return;
      record(turn, rejectionRecord(item, item.outcome));
      index.add(item.hashFirst, item.hashSecond, turn.sequence);
      return;
    }
    // What was gathered for the account goes into the commit before the change.
    turn.flush();
    const account = evolveAccount(ordinal === -1 ? undefined : this.table.touch(ordinal), decision.event, turn.committedAtUs);
    if (ordinal === -1) this.days.opened(this.table.add(account));
    else this.days.updated(ordinal);
    item.answer = {
      balanceMinor: account.balanceMinor,
      heldMinor: account.heldMinor,
      status: statusToProto(account.status),
      version: account.version,
      signingKeyId: account.signingKeyId,
    };
    item.outcome = OUTCOME_ACCEPTED;
    if (item.signingKey !== undefined) this.storeBeforeAppend(item.signingKey, turn);
    record(turn, changeRecord(decision.event, item, account, this.days.branch(account.branchId)?.onlineDate));
    index.add(item.hashFirst, item.hashSecond, turn.sequence);
  }

  /** A key is durable before the event that names it, and only where there is such an event. All keys of a turn are stored together. */
  private storeBeforeAppend(key: AccountKey, turn: Turn): void {
    if (this.keysOfTurn?.turn !== turn) {
      const keys = new Map<string, AccountKey>();
      this.keysOfTurn = { turn, keys };
      turn.beforeAppend(() => {
        this.keysOfTurn = undefined;
        return this.signatures.store([...keys.values()]);
      });
    }
    this.keysOfTurn.keys.set(key.keyId, key);
  }
}

function record(turn: Turn, { type, version, payload }: EventRecord): void {
  turn.event(type, version, payload);
}
