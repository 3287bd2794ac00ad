/**
 * Commands other than postings (open, update, freeze, unfreeze, close) of one caller for one partition, on their way through a turn.
 * Repeats are answered as those of postings are: from the commit that holds the first answer.
 */
import type { AccountCommand } from '@sluice/domain';
import type { AccountKey } from '@sluice/ports';
import { TurnLostError, type Partition, type Submission, type SubmissionFailure, type Turn } from '@sluice/engine';
import { OUTCOME_ACCEPTED, OUTCOME_NONE, type accountpb } from '@sluice/protocol';
import type { AccountState } from './account-state';
import { NOT_OWNER, PARTITION_UNAVAILABLE, REQUEST_ID_REUSED, SHUTTING_DOWN } from './outcomes';

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
  oldSequences?: readonly number[];
  ruledOut?: ReadonlySet<number>;
  outcome: number;
  message?: string;
  answer?: CommandAnswer;
  repeated: boolean;
}

/** What the event of a command has at most beside what the command says: ids again, digest, figures. */
const EVENT_BYTES = 1_024;

export class CommandSubmission implements Submission {
  readonly commandCount: number;
  readonly sizeBytes: number;
  readonly recordBytes: number;
  readonly prepared: Promise<void> | undefined;
  suspects: { readonly item: AccountCommandItem; readonly sequences: readonly number[] }[] | undefined;
  unusable = false;
  sequence = 0;

  constructor(
    private readonly state: AccountState,
    private readonly partition: Partition,
    readonly items: readonly AccountCommandItem[],
    private readonly done: () => void,
    readonly traceparent?: string,
  ) {
    this.commandCount = items.length;
    this.sizeBytes = items.reduce((sum, item) => sum + item.sizeBytes, 0);
    this.recordBytes = this.sizeBytes + items.length * EVENT_BYTES;
    this.prepared = this.prepare();
  }

  *aggregates(): Generator<number> {
    for (const { accountHash } of this.items) yield accountHash;
  }

  decide(turn: Turn): void {
    this.state.decideCommands(turn, this);
  }

  settle(sequence: number): void {
    this.sequence = sequence;
    if (this.suspects === undefined) this.done();
    else void this.answerSuspects(this.suspects);
  }

  fail(failure: SubmissionFailure): void {
    for (const item of this.items) {
      item.outcome = failure === 'SHUTTING_DOWN' ? SHUTTING_DOWN : failure === 'NOT_OWNER' ? NOT_OWNER : PARTITION_UNAVAILABLE;
      delete item.answer;
    }
    this.done();
  }

  private async answerSuspects(suspects: NonNullable<CommandSubmission['suspects']>): Promise<void> {
    const again: AccountCommandItem[] = [];
    for (const { item, sequences } of suspects) {
      try {
        let answered = false;
        for (const sequence of sequences) {
          answered = await this.answerRepeat(item, sequence);
          if (answered) break;
        }
        if (answered) continue;
        item.ruledOut = new Set([...(item.ruledOut ?? []), ...sequences]);
        again.push(item);
      } catch (error) {
        if (!(error instanceof TurnLostError)) this.state.trouble('a repeat could not be looked up', error);
        item.outcome = PARTITION_UNAVAILABLE;
      }
    }
    if (again.length === 0) {
      this.done();
      return;
    }
    this.submitAgain(again);
  }

  /** To the state as it is now: it may have been loaded anew since. */
  private submitAgain(items: readonly AccountCommandItem[]): void {
    const { partition } = this;
    if (partition.state !== 'serving') {
      for (const item of items) item.outcome = PARTITION_UNAVAILABLE;
      this.done();
      return;
    }
    const again = new CommandSubmission(
      partition.stateOf('account') as AccountState,
      partition,
      items,
      () => {
        this.sequence = Math.max(this.sequence, again.sequence);
        this.done();
      },
      this.traceparent,
    );
    try {
      partition.submit(again);
    } catch {
      again.fail('PARTITION_UNAVAILABLE');
    }
  }

  private async answerRepeat(item: AccountCommandItem, sequence: number): Promise<boolean> {
    const verdict = await this.state.verdictIn(sequence, item.accountId, item.requestId);
    if (verdict === undefined) return false;
    this.sequence = Math.max(this.sequence, sequence);
    if (verdict.kind !== 'command' || Buffer.compare(verdict.bodyDigest, item.bodyDigest) !== 0) {
      item.outcome = REQUEST_ID_REUSED;
      return true;
    }
    item.outcome = verdict.outcome;
    item.repeated = true;
    if (verdict.outcome === OUTCOME_ACCEPTED) item.answer = verdict;
    return true;
  }

  private prepare(): Promise<void> | undefined {
    const { index } = this.partition;
    const lookUps = this.items.filter((item) => item.outcome === OUTCOME_NONE && index.mayBeOld(item.hashFirst, item.hashSecond));
    return lookUps.length === 0 ? undefined : this.lookUp(lookUps);
  }

  private async lookUp(items: readonly AccountCommandItem[]): Promise<void> {
    try {
      for (const item of items) item.oldSequences = await this.partition.index.old(item.hashFirst, item.hashSecond);
    } catch (error) {
      // Without the look-up a repeat might be done twice: nothing of the submission is decided.
      this.state.trouble('request ids could not be looked up', error);
      this.unusable = true;
    }
  }
}
