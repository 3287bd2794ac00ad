/**
 * The accounts of one partition, as the engine drives them: what is asked of them goes to the part that decides it.
 *
 *   postings ──▶ posting-decisions.ts      atomic batches ──▶ atomic-batch.ts      commands ──▶ command-decisions.ts
 *   deliveries, timers ──▶ here, on the parts of postings                          the log ──▶ account-replay.ts
 *   deliveries of branches ──▶ days/day-commands.ts
 */
import type { CapabilityState, InternalCommand, InternalVerdict, PartitionServices, SettledDelivery, SnapshotSession, Turn } from '@sluice/engine';
import { MissingKeysError } from '@sluice/ports';
import type { CommitHeader, EventRecord } from '@sluice/protocol';
import type { PostingBatch } from '@sluice/protocol/account';
import { AccountFunds, isFundsMethod } from './account-funds';
import { AccountReplay } from './account-replay';
import { AccountTable } from './account-table';
import { TRANSFER_LEG } from './account-transfers';
import { AtomicBatches } from './atomic-batch';
import { CommandDecisions } from './command-decisions';
import type { CommandSubmission } from './command-submission';
import { AccountDays } from './days/account-days';
import { DayCommands } from './days/day-commands';
import { dayJobs } from './days/day-jobs';
import { AccountsAndDaysSnapshot, isDaysBlock, restoreDays } from './days/days-snapshot';
import { EXPIRE_HOLD, EXPIRE_HOLD_OF_PAYLOAD, expireHold } from './hold-timers';
import { REQUEST_ID_REUSED, SIGNATURE_INVALID, SIGNING_KEY_MISSING } from './outcomes';
import { PostingDecisions } from './posting-decisions';
import type { PostingSubmission } from './posting-submission';
import { hasSameSignature, recordedVerdicts, samePosting, type RecordedVerdict } from './recorded-verdicts';
import type { Signatures } from './signatures';

/** Accounts whose key ids are looked for in one round of the event loop, and asked of the keyring together. */
const KEYS_PER_ROUND = 4_096;

export class AccountState implements CapabilityState {
  private readonly table: AccountTable;
  readonly postings: PostingDecisions;
  private readonly atomicBatches: AtomicBatches;
  private readonly commands: CommandDecisions;
  private readonly funds: AccountFunds;
  private readonly days: AccountDays;
  private readonly dayCommands: DayCommands;
  private readonly log: AccountReplay;

  constructor(
    private readonly services: PartitionServices,
    readonly signatures: Signatures,
    readonly trouble: (what: string, error: unknown) => void,
  ) {
    this.table = new AccountTable(services.seeds);
    this.days = new AccountDays(this.table);
    this.postings = new PostingDecisions(services, this.table, this.days);
    this.dayCommands = new DayCommands(this.table, this.days, dayJobs(this.table, this.days, this.postings));
    this.atomicBatches = new AtomicBatches(this.postings, this.table);
    this.commands = new CommandDecisions(services, this.table, this.days, signatures);
    this.funds = new AccountFunds(this.postings, this.postings.transfers);
    this.log = new AccountReplay(services, this.table, this.days);
  }

  get accountCount(): number {
    return this.table.size;
  }

  // ---- what callers ask for ----

  decidePostings(turn: Turn, submission: PostingSubmission): void {
    this.postings.begin(turn);
    if (submission.batch.atomic) this.atomicBatches.decide(turn, submission);
    else this.postings.decide(turn, submission);
  }

  decideCommands(turn: Turn, submission: CommandSubmission): void {
    this.commands.decide(turn, submission);
  }

  /** Whether the signature verifies under the key; undefined: the key is not in memory. The turn may name the key itself. */
  verifyNow(batch: PostingBatch, index: number, signingKeyId: string): boolean | undefined {
    return this.signatures.verifyNow(batch, index, signingKeyId, this.commands.keyOfTurn(signingKeyId));
  }

  /** Id of the key in force for the posting's account; '' where it is not signed. */
  signingKeyOf(batch: PostingBatch, index: number): string {
    return this.postings.signingKeyOf(batch, index);
  }

  // ---- what deliveries and timers ask for ----

  decideInternal(turn: Turn, commands: readonly InternalCommand[]): InternalVerdict[] {
    const verdicts: InternalVerdict[] = [];
    for (let from = 0; from < commands.length; ) {
      const { method } = commands[from] as InternalCommand;
      this.postings.begin(turn);
      let to = from + 1;
      while (to < commands.length && commands[to]?.method === method) to += 1;
      for (const verdict of this.decideRun(turn, method, commands.slice(from, to))) verdicts.push(verdict);
      // Nothing behind a command that cannot be decided is.
      if (verdicts.at(-1)?.kind === 'undecidable') break;
      from = to;
    }
    return verdicts;
  }

  private decideRun(turn: Turn, method: string, run: readonly InternalCommand[]): InternalVerdict[] {
    switch (method) {
      case TRANSFER_LEG:
        return this.postings.transfers.decideCredits(turn, run);
      case EXPIRE_HOLD:
      case EXPIRE_HOLD_OF_PAYLOAD:
        return this.expireHolds(turn, run);
      default:
        if (isFundsMethod(method)) return this.funds.decide(turn, method, run);
        if (this.dayCommands.has(method)) return this.dayCommands.decide(turn, method, run);
        return [{ kind: 'undecidable', reason: `this version of Sluice has no method ${method} of accounts` }];
    }
  }

  private expireHolds(turn: Turn, run: readonly InternalCommand[]): InternalVerdict[] {
    const verdicts: InternalVerdict[] = [];
    for (const command of run) {
      const verdict = expireHold(this.postings, turn, command, (batch) => this.postings.transfers.keepUntilWritten(batch));
      verdicts.push(verdict);
      if (verdict.kind === 'undecidable') break;
    }
    return verdicts;
  }

  settled(turn: Turn, deliveries: readonly SettledDelivery[]): void {
    this.postings.begin(turn);
    this.postings.transfers.settle(turn, deliveries);
  }

  // ---- repeats ----

  /** Answers the posting from the commit if it is there; false: the commit does not hold it. */
  async answerRepeat(batch: PostingBatch, index: number, sequence: number): Promise<boolean> {
    const verdict = await this.verdictIn(sequence, batch.accountId(index), batch.requestId(index));
    if (verdict === undefined) return false;
    const body = batch.body(index);
    if (verdict.kind !== 'posting' || !samePosting(verdict.body, body)) {
      batch.outcomes[index] = REQUEST_ID_REUSED;
      return true;
    }
    if (verdict.isSigned && Buffer.compare(verdict.body, body) !== 0 && !hasSameSignature(verdict.body, body)) {
      const signingKeyId = this.postings.signingKeyOf(batch, index);
      const valid = signingKeyId === '' || (await this.signatures.verify(batch, index, signingKeyId));
      if (valid !== true) {
        batch.outcomes[index] = valid === undefined ? SIGNING_KEY_MISSING : SIGNATURE_INVALID;
        return true;
      }
    }
    batch.outcomes[index] = verdict.outcome;
    batch.repeated[index] = 1;
    batch.balancesAfter[index] = verdict.balanceAfterMinor;
    batch.heldAfter[index] = verdict.heldAfterMinor;
    batch.entryNumbers[index] = verdict.entryNumber;
    return true;
  }

  verdictIn(sequence: number, accountId: string, requestId: string): Promise<RecordedVerdict | undefined> {
    return this.services.commitSearch.find(recordedVerdicts, sequence, accountId, requestId);
  }

  // ---- the log ----

  replay(event: EventRecord, commit: CommitHeader): Iterable<number> | undefined {
    return this.log.replay(event, commit);
  }

  async assertKeysPresent(): Promise<void> {
    let missing = 0;
    for (let from = 0; from < this.table.size; from += KEYS_PER_ROUND) {
      if (from > 0) await new Promise<void>((resolve) => setImmediate(resolve));
      missing += await this.signatures.countMissing(this.table.signingKeyIds(from, Math.min(from + KEYS_PER_ROUND, this.table.size)));
    }
    if (missing === 0) return;
    const error = new MissingKeysError(missing, [this.services.partition]);
    if (this.signatures.missingKeys === 'refuse') throw error;
    this.trouble('signed postings of some accounts are refused with SIGNING_KEY_MISSING until they have new keys', error);
  }

  beginSnapshot(): SnapshotSession {
    return new AccountsAndDaysSnapshot(this.table.beginSnapshot(), this.days, this.table.size);
  }

  restore(block: Uint8Array, version: number): void {
    if (isDaysBlock(block)) restoreDays(this.days, block);
    else this.table.restore(block, version);
  }
}
