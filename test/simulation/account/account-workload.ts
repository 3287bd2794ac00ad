/**
 * Callers that post to a few accounts at once, some of them hot, through whichever instance they reach, and repeat what has no answer. Every
 * answer is kept. When the deployment is calm, the log, the read store and the answers are compared:
 *
 *   - every acknowledged posting is in the log, once, with the balance that was answered;
 *   - no posting is in the log twice, acknowledged or not;
 *   - the log's balances follow from its postings;
 *   - asking again gives the first answer, marked as a repeat;
 *   - a read that carries a token shows the posting that the token came with;
 *   - queries answer the balances of the log.
 */
import { accountpb } from '@sluice/protocol/account';
import { CallerGroup } from '../world/caller-group';
import { describe } from '../world/cluster';
import { type Callers, type Deployment, type Workload } from '../world/deployment';
import { CallFailed, readOr } from '../world/call-failed';
import { postingKey, readLedger } from './ledger-model';

const COMMANDS = accountpb.AccountCommandServiceService;
const QUERIES = accountpb.AccountQueryServiceService;
const UNIT = 'EUR';
const CALLERS = 5;
const BATCHES_PER_CALLER = 12;
const MOST_POSTINGS = 5;
const ACCOUNTS = ['hot', '{pair}-left', '{pair}-right', 'cold-1', 'cold-2', 'cold-3'];
/** Reasons that are no verdict: the caller asks again. */
const TRANSIENT_REASONS = new Set(['PARTITION_UNAVAILABLE', 'NOT_OWNER', 'SHUTTING_DOWN', 'STARTING', 'QUEUE_FULL']);
const { PostingType } = accountpb;

interface Answer {
  readonly posting: accountpb.Posting;
  readonly atomicWith: readonly accountpb.Posting[] | undefined;
  readonly accepted: boolean;
  readonly reason: string;
  readonly balanceAfterMinor: bigint;
  readonly heldAfterMinor: bigint;
  readonly entryNumber: bigint;
}

export class AccountWorkload implements Workload {
  readonly #answers = new Map<string, Answer>();
  #sent = 0;
  readonly #callers: CallerGroup;

  constructor(private readonly deployment: Deployment) {
    this.#callers = new CallerGroup(deployment, 'caller', CALLERS);
  }

  get done(): boolean {
    return this.#callers.done;
  }

  get progress(): string {
    return `${this.#answers.size} of ${this.#sent} postings answered, ${this.#callers.progress}`;
  }

  begin(): void {
    this.#callers.begin((callers, number) => this.#call(callers, number));
  }

  async #call(callers: Callers, number: number): Promise<void> {
    const { random } = callers;
    await this.#openAccounts(callers);
    for (let batch = 0; batch < this.deployment.partOf(BATCHES_PER_CALLER); batch += 1) {
      const atomic = random.chance(0.25);
      const postings = this.#drawPostings(callers, `c${number}-${batch}`, atomic);
      this.#sent += postings.length;
      await this.#untilVerdicts(callers, postings, atomic);
      // Old requests come again, as from a caller that lost its notes.
      if (random.chance(0.3)) await this.#repeatOne(callers);
      await callers.pause(random.below(400_000));
    }
  }

  async #openAccounts(callers: Callers): Promise<void> {
    let open = ACCOUNTS.map((accountId) => accountpb.AccountOpening.fromPartial({ requestId: `open-${accountId}`, accountId, unit: UNIT }));
    for (;;) {
      const bytes = await callers.call('command', COMMANDS.openAccounts.path, accountpb.OpenAccountsRequest.encode({ accounts: open }).finish());
      const { results } = accountpb.OpenAccountsResponse.decode(bytes);
      for (const { error } of results) {
        if (error !== undefined && !TRANSIENT_REASONS.has(error.reason)) throw new Error(`an account was not opened: ${error.reason}`);
      }
      open = open.filter((_, at) => results[at]?.error !== undefined);
      if (open.length === 0) return;
      await callers.pause(50_000 + callers.random.below(50_000));
    }
  }

  #drawPostings(callers: Callers, prefix: string, atomic: boolean): accountpb.Posting[] {
    const { random } = callers;
    return Array.from({ length: random.between(1, MOST_POSTINGS) }, (_, item) => {
      const type = random.pick([
        PostingType.POSTING_TYPE_CREDIT,
        PostingType.POSTING_TYPE_CREDIT,
        PostingType.POSTING_TYPE_DEBIT,
        PostingType.POSTING_TYPE_HOLD,
      ]);
      const accountId = atomic ? random.pick(['{pair}-left', '{pair}-right']) : random.chance(0.6) ? 'hot' : random.pick(ACCOUNTS);
      const holds = [...this.#answers.values()].filter(
        ({ posting, accepted }) => accepted && posting.accountId === accountId && posting.type === PostingType.POSTING_TYPE_HOLD,
      );
      const requestId = `${prefix}-${item}`;
      if (holds.length > 0 && random.chance(0.3)) {
        const hold = random.pick(holds).posting;
        const onHold = random.pick([PostingType.POSTING_TYPE_CAPTURE, PostingType.POSTING_TYPE_RELEASE]);
        return accountpb.Posting.fromPartial({
          requestId,
          accountId,
          type: onHold,
          holdId: hold.requestId,
          amountMinor: BigInt(random.between(1, Number(hold.amountMinor))),
          final: random.chance(0.5) && onHold === PostingType.POSTING_TYPE_CAPTURE,
          unit: UNIT,
        });
      }
      return accountpb.Posting.fromPartial({ requestId, accountId, type, amountMinor: BigInt(random.between(1, 50)), unit: UNIT });
    });
  }

  async #untilVerdicts(callers: Callers, postings: readonly accountpb.Posting[], atomic: boolean): Promise<void> {
    let open = postings;
    while (open.length > 0) {
      const asked = atomic ? postings : open;
      const response = await this.#post(callers, asked, atomic);
      if (response === undefined) return;
      const still: accountpb.Posting[] = [];
      for (const [at, result] of response.results.entries()) {
        const posting = asked[at] as accountpb.Posting;
        if (TRANSIENT_REASONS.has(result.error?.reason ?? '')) still.push(posting);
        else this.#keep(posting, atomic ? postings : undefined, result);
      }
      open = still;
      if (open.length > 0) await callers.pause(20_000 + callers.random.below(100_000));
      else if (response.positionToken !== '' && callers.random.chance(0.5)) await this.#readBack(callers, asked, response);
    }
  }

  async #post(callers: Callers, postings: readonly accountpb.Posting[], atomic: boolean): Promise<accountpb.PostBatchResponse | undefined> {
    const request = accountpb.PostBatchRequest.fromPartial({ postings: [...postings], atomic });
    try {
      return accountpb.PostBatchResponse.decode(await callers.call('command', COMMANDS.postBatch.path, accountpb.PostBatchRequest.encode(request).finish()));
    } catch (error) {
      this.deployment.world.breach(`a batch was refused: ${describe(error)}`);
      return undefined;
    }
  }

  /** Keeps the first answer, or compares with it. */
  #keep(posting: accountpb.Posting, atomicWith: readonly accountpb.Posting[] | undefined, result: accountpb.PostingResult): void {
    const { world } = this.deployment;
    const key = postingKey(posting.accountId, posting.requestId);
    const answer: Answer = {
      posting,
      atomicWith,
      accepted: result.error === undefined,
      reason: result.error?.reason ?? '',
      balanceAfterMinor: result.balanceAfterMinor,
      heldAfterMinor: result.heldAfterMinor,
      entryNumber: result.entryNumber,
    };
    const first = this.#answers.get(key);
    if (first === undefined) {
      this.#answers.set(key, answer);
      world.trace.note(
        'answer',
        `${key}: ${answer.accepted ? `accepted, balance ${answer.balanceAfterMinor}` : answer.reason}${result.repeated ? ' (repeated)' : ''}`,
      );
      return;
    }
    const same =
      first.accepted === answer.accepted &&
      first.reason === answer.reason &&
      first.balanceAfterMinor === answer.balanceAfterMinor &&
      first.heldAfterMinor === answer.heldAfterMinor &&
      first.entryNumber === answer.entryNumber;
    if (!same) world.breach(`${key} was answered ${told(first)} and then ${told(answer)}`);
    if (!result.repeated) world.breach(`${key} was answered twice, the second time not as a repeat`);
  }

  async #repeatOne(callers: Callers): Promise<void> {
    const known = [...this.#answers.values()];
    if (known.length === 0) return;
    const { posting, atomicWith } = callers.random.pick(known);
    await this.#untilVerdicts(callers, atomicWith ?? [posting], atomicWith !== undefined);
  }

  /** A read that carries the token of an answer shows at least as many entries as the answer counted. */
  async #readBack(callers: Callers, postings: readonly accountpb.Posting[], response: accountpb.PostBatchResponse): Promise<void> {
    const at = response.results.findIndex(({ error }) => error === undefined);
    const posting = postings[at];
    if (posting === undefined) return;
    const request = { accountId: posting.accountId, positionToken: response.positionToken };
    try {
      const bytes = await callers.attempt(
        'query',
        QUERIES.getAccount.path,
        accountpb.GetAccountRequest.encode(accountpb.GetAccountRequest.fromPartial(request)).finish(),
      );
      const { account } = accountpb.GetAccountResponse.decode(bytes);
      const counted = response.results[at]?.entryNumber ?? 0n;
      if (account === undefined || account.entryCount < counted) {
        this.deployment.world.breach(`${posting.accountId} was read with ${account?.entryCount} entries under a token that covers entry ${counted}`);
      }
      const held = account?.holds.reduce((sum, { remainingMinor }) => sum + remainingMinor, 0n);
      if (account !== undefined && held !== account.heldMinor)
        this.deployment.world.breach(`${posting.accountId} was read torn: held ${account.heldMinor}, holds sum to ${held}`);
    } catch (error) {
      if (!(error instanceof CallFailed)) throw error;
      // The read store may be behind, or cut off; that is no breach while there are faults.
    }
  }

  async judge(): Promise<void> {
    const { world, cluster } = this.deployment;
    const ledger = readLedger(cluster.decodedLog);
    for (const contradiction of ledger.contradictions) world.breach(`the log contradicts itself: ${contradiction}`);
    for (const [key, records] of ledger.postings) if (records.length > 1) world.breach(`${key} is in the log ${records.length} times`);
    for (const [key, answer] of this.#answers) {
      const record = ledger.postings.get(key)?.[0];
      if (record === undefined) {
        if (answer.accepted) world.breach(`${key} was acknowledged and is not in the log`);
      } else if (record.accepted !== answer.accepted || record.balanceAfterMinor !== answer.balanceAfterMinor) {
        world.breach(`${key} was answered ${told(answer)}; the log says ${record.accepted ? 'accepted' : 'refused'}, balance ${record.balanceAfterMinor}`);
      }
    }
    await this.#askAgain();
    await this.#compareQueries(ledger.balances);
  }

  /** Every posting with a verdict is sent again. */
  async #askAgain(): Promise<void> {
    const [callers] = this.#callers.members;
    if (callers === undefined) return;
    const plain = [...this.#answers.values()].filter(({ atomicWith }) => atomicWith === undefined).map(({ posting }) => posting);
    if (plain.length > 0) await this.#untilVerdicts(callers, plain, false);
    const groups = new Set([...this.#answers.values()].map(({ atomicWith }) => atomicWith));
    for (const group of groups) if (group !== undefined) await this.#untilVerdicts(callers, group, true);
  }

  async #compareQueries(balances: ReadonlyMap<string, bigint>): Promise<void> {
    const { world } = this.deployment;
    const [callers] = this.#callers.members;
    if (callers === undefined) return;
    for (const [accountId, balance] of balances) {
      const request = accountpb.GetAccountRequest.encode(accountpb.GetAccountRequest.fromPartial({ accountId })).finish();
      const read = await callers.readUntil(balance, () => balanceOf(callers, request));
      if (read !== balance) world.breach(`${accountId} is read with balance ${read}; the log says ${balance}`);
    }
  }
}

/** Undefined: the read store does not know the account. */
function balanceOf(callers: Callers, request: Uint8Array): Promise<bigint | undefined> {
  return readOr<bigint | undefined>(
    undefined,
    'ACCOUNT_NOT_FOUND',
    async () => accountpb.GetAccountResponse.decode(await callers.call('query', QUERIES.getAccount.path, request)).account?.balanceMinor,
  );
}

function told({ accepted, reason, balanceAfterMinor }: Answer): string {
  return `${accepted ? 'accepted' : reason}, balance ${balanceAfterMinor}`;
}
