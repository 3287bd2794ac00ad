/**
 * Callers that move money between a few accounts of all partitions, and set holds that expire, while the accounts are frozen, limited and closed. Every answer
 * is kept. When the deployment is calm and nothing is under way any more, the log is read:
 *
 *   - every acknowledged transfer was debited once, with the balance that was answered;
 *   - every debit of a transfer ended once: credited at its target, or given back because the target's refusal is recorded;
 *   - no hold is open that should have expired, and none was released twice;
 *   - asking again gives the first answer, marked as a repeat;
 *   - queries say of every transfer what the log says.
 */
import { accountpb } from '@sluice/protocol/account';
import { CallerGroup } from '../world/caller-group';
import type { Callers, Deployment, Workload } from '../world/deployment';
import { START_US } from '../world/globals';
import { answerOrReason, readOr } from '../world/call-failed';
import { fundedAccount } from '../money/funded-account';
import { transferKey, transferReader, type TransferReading } from '../money/transfer-model';

const COMMANDS = accountpb.AccountCommandServiceService;
const QUERIES = accountpb.AccountQueryServiceService;
const UNIT = 'EUR';
const CALLERS = 3;
const BATCHES_PER_CALLER = 10;
const MOST_TRANSFERS = 4;
const ACCOUNTS = ['transfer-a', 'transfer-b', 'transfer-c', 'transfer-d', '{transfer}-e', '{transfer}-f'];
/** It is closed from the beginning: what goes there comes back. */
const CLOSED = 'transfer-closed';
const FUNDS_MINOR = 500n;
/** Between two looks whether something is under way. */
const LOOK_US = 250_000;
const TRANSIENT_REASONS = new Set(['PARTITION_UNAVAILABLE', 'NOT_OWNER', 'SHUTTING_DOWN', 'STARTING', 'QUEUE_FULL']);
const { PostingType } = accountpb;

interface Answer {
  readonly order: accountpb.TransferOrder;
  readonly told: string;
  readonly accepted: boolean;
  readonly balanceAfterMinor: bigint;
}

export class TransferWorkload implements Workload {
  readonly #answers = new Map<string, Answer>();
  readonly #callers: CallerGroup;
  /** How far the clocks of the owners may be apart. */
  readonly #skewUs: number;

  constructor(private readonly deployment: Deployment) {
    this.#skewUs = deployment.world.faults.skewUs;
    this.#callers = new CallerGroup(deployment, 'payer', CALLERS);
  }

  get done(): boolean {
    return this.#callers.done;
  }

  get progress(): string {
    return `${this.#answers.size} transfers answered, ${this.#callers.progress}`;
  }

  begin(): void {
    this.#callers.begin((callers, number) => this.#call(callers, number));
  }

  async #call(callers: Callers, number: number): Promise<void> {
    const { random } = callers;
    await this.#prepare(callers);
    for (let batch = 0; batch < this.deployment.partOf(BATCHES_PER_CALLER); batch += 1) {
      const prefix = `p${number}-${batch}`;
      await this.#untilVerdicts(callers, this.#drawOrders(callers, prefix));
      if (random.chance(0.4)) await this.#hold(callers, prefix);
      if (random.chance(0.3)) await this.#disturb(callers, prefix);
      if (random.chance(0.3) && this.#answers.size > 0) await this.#untilVerdicts(callers, [random.pick([...this.#answers.values()]).order]);
      await callers.pause(random.below(400_000));
    }
  }

  /** Opens and funds the accounts; every caller does it, with the same request ids. */
  async #prepare(callers: Callers): Promise<void> {
    for (const accountId of ACCOUNTS) await fundedAccount(callers, accountId, UNIT, FUNDS_MINOR);
    await fundedAccount(callers, CLOSED, UNIT, 0n);
    const close = accountpb.CloseAccountRequest.encode({ requestId: 'close', accountId: CLOSED, note: '' }).finish();
    await answerOrReason(callers.call('command', COMMANDS.closeAccount.path, close));
  }

  #drawOrders(callers: Callers, prefix: string): accountpb.TransferOrder[] {
    const { random } = callers;
    return Array.from({ length: random.between(1, MOST_TRANSFERS) }, (_, item) => {
      const fromAccountId = random.pick(ACCOUNTS);
      const toAccountId = random.chance(0.15) ? CLOSED : random.pick(ACCOUNTS.filter((accountId) => accountId !== fromAccountId));
      const amountMinor = BigInt(random.between(1, 200));
      return accountpb.TransferOrder.fromPartial({ requestId: `${prefix}-${item}`, fromAccountId, toAccountId, amountMinor, unit: UNIT });
    });
  }

  async #untilVerdicts(callers: Callers, orders: readonly accountpb.TransferOrder[]): Promise<void> {
    let open = [...orders];
    while (open.length > 0) {
      const request = accountpb.TransferBatchRequest.encode({ transfers: open }).finish();
      const { results } = accountpb.TransferBatchResponse.decode(await callers.call('command', COMMANDS.transferBatch.path, request));
      open = open.filter((order, at) => {
        const result = results[at];
        if (result === undefined || TRANSIENT_REASONS.has(result.error?.reason ?? '')) return true;
        this.#keep(order, result);
        return false;
      });
      if (open.length > 0) await callers.pause(20_000 + callers.random.below(100_000));
    }
  }

  /** Keeps the first answer, or compares with it. */
  #keep(order: accountpb.TransferOrder, result: accountpb.TransferResult): void {
    const { world } = this.deployment;
    const key = transferKey(order.fromAccountId, order.requestId);
    const { balanceAfterMinor, entryNumber, state, error } = result;
    const told = `${error?.reason ?? accountpb.TransferState[state]}, balance ${balanceAfterMinor}, entry ${entryNumber}`;
    const first = this.#answers.get(key);
    if (first === undefined) {
      this.#answers.set(key, { order, told, accepted: error === undefined, balanceAfterMinor });
      world.trace.note('answer', `${key}: ${told}${result.repeated ? ' (repeated)' : ''}`);
      return;
    }
    if (first.told !== told) world.breach(`transfer ${key} was answered "${first.told}" and then "${told}"`);
    if (!result.repeated) world.breach(`transfer ${key} was answered twice, the second time not as a repeat`);
  }

  /** A hold that expires soon; perhaps a part of it is captured, perhaps near its end. */
  async #hold(callers: Callers, prefix: string): Promise<void> {
    const { random } = callers;
    const accountId = random.pick(ACCOUNTS);
    const holdId = `${prefix}-hold`;
    const expiresAfterMs = BigInt(random.between(1, 2_000));
    await this.#post(callers, { requestId: holdId, accountId, type: PostingType.POSTING_TYPE_HOLD, amountMinor: 10n, expiresAfterMs });
    if (random.chance(0.5)) return;
    await callers.pause(random.below(2_000_000));
    const amountMinor = BigInt(random.between(1, 10));
    await this.#post(callers, { requestId: `${prefix}-capture`, accountId, type: PostingType.POSTING_TYPE_CAPTURE, holdId, amountMinor });
  }

  /** The account's state may refuse it. */
  async #disturb(callers: Callers, prefix: string): Promise<unknown> {
    const { random } = callers;
    const [accountId, requestId] = [random.pick(ACCOUNTS), `${prefix}-change`];
    const change = { requestId, accountId, note: '' };
    switch (random.pick(['freeze', 'unfreeze', 'limit', 'close'] as const)) {
      case 'freeze':
        return answerOrReason(callers.call('command', COMMANDS.freezeAccount.path, accountpb.FreezeAccountRequest.encode(change).finish()));
      case 'unfreeze':
        return answerOrReason(callers.call('command', COMMANDS.unfreezeAccount.path, accountpb.UnfreezeAccountRequest.encode(change).finish()));
      case 'limit': {
        const limits = random.chance(0.5) ? { maximumBalanceMinor: BigInt(random.between(100, 900)) } : {};
        const request = accountpb.UpdateAccountRequest.fromPartial({ requestId, accountId, limits });
        return answerOrReason(callers.call('command', COMMANDS.updateAccount.path, accountpb.UpdateAccountRequest.encode(request).finish()));
      }
      case 'close':
        return answerOrReason(callers.call('command', COMMANDS.closeAccount.path, accountpb.CloseAccountRequest.encode(change).finish()));
    }
  }

  async #post(callers: Callers, posting: Partial<accountpb.Posting>): Promise<void> {
    const request = accountpb.PostBatchRequest.encode(accountpb.PostBatchRequest.fromPartial({ postings: [{ unit: UNIT, ...posting }] })).finish();
    for (;;) {
      const { results } = accountpb.PostBatchResponse.decode(await callers.call('command', COMMANDS.postBatch.path, request));
      if (!TRANSIENT_REASONS.has(results[0]?.error?.reason ?? '')) return;
      await callers.pause(20_000 + callers.random.below(100_000));
    }
  }

  async judge(): Promise<void> {
    const reading = await this.#untilNothingIsUnderWay();
    const { world } = this.deployment;
    for (const contradiction of reading.contradictions) world.breach(`the log contradicts itself: ${contradiction}`);
    for (const [key, answer] of this.#answers) {
      const recorded = reading.transfers.get(key);
      if (recorded === undefined) {
        if (answer.accepted) world.breach(`transfer ${key} was acknowledged and is not in the log`);
      } else if (!answer.accepted) world.breach(`transfer ${key} was refused with ${answer.told} and is in the log`);
      else if (recorded.balanceAfterMinor !== answer.balanceAfterMinor) {
        world.breach(`transfer ${key} was answered ${answer.told}; the log says balance ${recorded.balanceAfterMinor}`);
      }
    }
    const [callers] = this.#callers.members;
    if (callers === undefined) return;
    await this.#untilVerdicts(
      callers,
      [...this.#answers.values()].map(({ order }) => order),
    );
    await this.#compareQueries(callers, reading);
  }

  /**
   * Deliveries and timers end by themselves; if they do not, the judge does not end, and that is a breach. A hold expires by its owner's clock, and the next
   * owner's clock may be behind.
   */
  async #untilNothingIsUnderWay(): Promise<TransferReading> {
    const { world, cluster } = this.deployment;
    const read = transferReader(cluster.decodedLog);
    for (;;) {
      const reading = read();
      const openHolds = reading.openExpiringHolds(START_US + world.timeline.nowUs - 2 * this.#skewUs);
      if (reading.pending === 0 && openHolds.length === 0) return reading;
      world.trace.note('judge', `${reading.pending} transfers are pending, holds are open: ${openHolds.join(', ')}`);
      await this.deployment.growth(LOOK_US);
    }
  }

  async #compareQueries(callers: Callers, reading: TransferReading): Promise<void> {
    for (const { fromAccountId, requestId, state } of reading.transfers.values()) {
      const request = accountpb.GetTransferRequest.encode(accountpb.GetTransferRequest.fromPartial({ fromAccountId, requestId })).finish();
      const read = await callers.readUntil<string>(state, () => stateOf(callers, request));
      if (read !== state) this.deployment.world.breach(`transfer ${transferKey(fromAccountId, requestId)} is read as ${read}; the log says ${state}`);
    }
  }
}

function stateOf(callers: Callers, request: Uint8Array): Promise<string> {
  return readOr('absent', 'TRANSFER_NOT_FOUND', async () => {
    const { transfer } = accountpb.GetTransferResponse.decode(await callers.call('query', QUERIES.getTransfer.path, request));
    return accountpb.TransferState[transfer?.state ?? 0]?.slice('TRANSFER_STATE_'.length) ?? '';
  });
}
