/** Commands other than postings (open, update, freeze, unfreeze, close) of one caller for one partition, on their way through a turn. */
import type { AccountCommand } from '@sluice/domain/account';
import type { AccountKey } from '@sluice/ports';
import { RequestSubmission, type Partition, type RequestRefusal, type Turn } from '@sluice/engine';
import { OUTCOME_ACCEPTED, OUTCOME_NONE, type accountpb } from '@sluice/protocol/account';
import type { AccountState } from './account-state';
import { outcomeOfRefusal, REQUEST_ID_REUSED } from './outcomes';

export interface CommandAnswer {
  readonly balanceMinor: bigint;
  readonly heldMinor: bigint;
  readonly status: accountpb.AccountStatus;
  readonly version: number;
  readonly signingKeyId: string;
}

export interface AccountCommandItem {
  readonly requestId: string;
  readonly accountId: string;
  readonly accountIdBytes: Uint8Array;
  readonly accountHash: number;
  readonly hashFirst: number;
  readonly hashSecond: number;
  readonly command: AccountCommand;
  /** The key that the command names: stored when the command is accepted. */
  readonly signingKey: AccountKey | undefined;
  /** 16 bytes. */
  readonly bodyDigest: Uint8Array;
  readonly sizeBytes: number;
  outcome: number;
  message?: string;
  answer?: CommandAnswer;
  repeated: boolean;
}

/** What the event of a command has at most beside what the command says: ids again, digest, figures. */
const EVENT_BYTES = 1_024;

export class CommandSubmission extends RequestSubmission {
  readonly commandCount: number;
  readonly sizeBytes: number;
  readonly recordBytes: number;
  readonly prepared: Promise<void> | undefined;

  constructor(
    private readonly state: AccountState,
    partition: Partition,
    readonly items: readonly AccountCommandItem[],
    done: () => void,
    traceparent?: string,
    /** Positions in the items; undefined: all. */
    private readonly indexes?: readonly number[],
  ) {
    super(partition, done, traceparent);
    this.commandCount = indexes?.length ?? items.length;
    this.sizeBytes = 0;
    for (let position = 0; position < this.commandCount; position += 1) this.sizeBytes += this.item(this.itemAt(position)).sizeBytes;
    this.recordBytes = this.sizeBytes + this.commandCount * EVENT_BYTES;
    this.prepared = this.prepare();
  }

  *aggregates(): Generator<number> {
    for (let position = 0; position < this.commandCount; position += 1) yield this.item(this.itemAt(position)).accountHash;
  }

  itemAt(position: number): number {
    return this.indexes === undefined ? position : (this.indexes[position] as number);
  }

  item(index: number): AccountCommandItem {
    return this.items[index] as AccountCommandItem;
  }

  protected isOpen(index: number): boolean {
    return this.item(index).outcome === OUTCOME_NONE;
  }

  protected firstHash(index: number): number {
    return this.item(index).hashFirst;
  }

  protected secondHash(index: number): number {
    return this.item(index).hashSecond;
  }

  protected decideItems(turn: Turn): void {
    this.state.decideCommands(turn, this);
  }

  protected async answerFrom(index: number, sequence: number): Promise<boolean> {
    const item = this.item(index);
    const verdict = await this.state.verdictIn(sequence, item.accountId, item.requestId);
    if (verdict === undefined) return false;
    if (verdict.kind !== 'command' || Buffer.compare(verdict.bodyDigest, item.bodyDigest) !== 0) {
      item.outcome = REQUEST_ID_REUSED;
      return true;
    }
    item.outcome = verdict.outcome;
    item.repeated = true;
    if (verdict.outcome === OUTCOME_ACCEPTED) item.answer = verdict;
    return true;
  }

  protected refuse(index: number, refusal: RequestRefusal, message?: string): void {
    const item = this.item(index);
    item.outcome = outcomeOfRefusal(refusal);
    if (message !== undefined) item.message = message;
    delete item.answer;
  }

  protected again(indexes: readonly number[], done: () => void): CommandSubmission {
    const { partition, items, traceparent } = this;
    return new CommandSubmission(partition.stateOf('account') as AccountState, partition, items, done, traceparent, indexes);
  }

  protected trouble(what: string, error: unknown): void {
    this.state.trouble(what, error);
  }
}
