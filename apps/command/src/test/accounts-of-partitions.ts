/**
 * The accounts of several partitions without an engine: each call is a turn and a commit. What a commit owes waits here until the test delivers it, and
 * what it sets as timers until the test fires it, in whatever order the test wants.
 */
import { keyHash, partitionOfHash } from '@sluice/domain';
import { hashSeeds, Turn, type Engine, type InternalVerdict, type OwedDelivery, type PartitionServices, type SettledDelivery } from '@sluice/engine';
import { CommitWriter, NO_CHECKSUM, readCommit, type DecodedCommit } from '@sluice/protocol';
import { accountpb, scanPostings, scanTransfers, type PostingBatch } from '@sluice/protocol/account';
import { itemOf, openingOf, statusChangeOf, updateOf, type KeyedCommand } from '../account/account-commands';
import { ACCOUNT_RECORD_VERSION } from '../account/account-record';
import { AccountState } from '../account/account-state';
import { OUTCOME_REASONS } from '../account/outcomes';
import { PostingRouter, SHAPE_ISSUES } from '../account/posting-router';
import type { AccountCommandItem, CommandSubmission } from '../account/command-submission';
import type { PostingSubmission } from '../account/posting-submission';
import type { Signatures } from '../account/signatures';
import type { AccountDays } from '../account/days/account-days';

const SEEDS = hashSeeds(Buffer.from('the secret of the tests'), Buffer.alloc(16));
const ACCEPTED = 63;
const NO_PAYLOAD = new Uint8Array(0);

type Timer = Parameters<Turn['setTimer']>[0];
type Rooms = ConstructorParameters<typeof Turn>[3];

/** A delivery on its way; verdict undefined: its target has not decided it. */
export interface DeliveryUnderWay extends OwedDelivery {
  readonly from: number;
  readonly to: number;
  verdict?: InternalVerdict;
}

export class AccountsOfPartitions {
  private states: AccountState[];
  readonly commits: DecodedCommit[][];
  readonly deliveries: DeliveryUnderWay[] = [];
  readonly timers = new Map<string, Timer>();
  nowUs = 1_767_225_600_000_000;
  private opened = 0;

  constructor(readonly partitions = 3) {
    this.commits = Array.from({ length: partitions }, () => []);
    this.states = Array.from({ length: partitions }, (_, partition) => this.newState(partition));
  }

  partitionOf(accountId: string): number {
    const id = Buffer.from(accountId, 'utf8');
    return partitionOfHash(keyHash(id, 0, id.length), this.partitions);
  }

  /** An account id of the partition. */
  idIn(partition: number, name: string): string {
    for (let at = 0; ; at += 1) if (this.partitionOf(`${name}-${at}`) === partition) return `${name}-${at}`;
  }

  // ---- what callers ask for: the reason of each, or 'accepted' ----

  open(accountId: string, opening: Partial<accountpb.AccountOpening> = {}): string {
    this.opened += 1;
    const account = accountpb.AccountOpening.fromPartial({ requestId: `open ${this.opened}`, accountId, unit: 'EUR', ...opening });
    return this.command(accountId, account.requestId, openingOf(account, 'account'));
  }

  update(accountId: string, limits: Partial<accountpb.AccountLimits>): string {
    return this.updateWith(accountId, { limits: accountpb.AccountLimits.fromPartial(limits) });
  }

  updateWith(accountId: string, changes: Partial<accountpb.UpdateAccountRequest>): string {
    this.opened += 1;
    const requestId = `update ${this.opened}`;
    return this.command(accountId, requestId, updateOf(accountpb.UpdateAccountRequest.fromPartial({ requestId, accountId, ...changes })));
  }

  change(kind: 'freeze' | 'unfreeze' | 'close', accountId: string): string {
    this.opened += 1;
    const requestId = `${kind} ${this.opened}`;
    return this.command(accountId, requestId, statusChangeOf(kind, { requestId, accountId, note: '' }));
  }

  post(posting: Partial<accountpb.Posting>): string {
    return this.posts([posting])[0] as string;
  }

  /** Of accounts of one partition, in one turn. */
  posts(postings: readonly Partial<accountpb.Posting>[], atomic = false): string[] {
    const request = accountpb.PostBatchRequest.fromPartial({ postings: postings.map((posting) => ({ unit: 'EUR', ...posting })), atomic });
    return this.decide(scanPostings(accountpb.PostBatchRequest.encode(request).finish(), SHAPE_ISSUES));
  }

  transfer(order: Partial<accountpb.TransferOrder>): string {
    return this.transfers([order])[0] as string;
  }

  /** Of accounts of one partition, in one turn. */
  transfers(orders: readonly Partial<accountpb.TransferOrder>[]): string[] {
    const transfers = orders.map((order) => ({ unit: 'EUR', ...order }));
    return this.decide(scanTransfers(accountpb.TransferBatchRequest.encode(accountpb.TransferBatchRequest.fromPartial({ transfers })).finish(), SHAPE_ISSUES));
  }

  private decide(batch: PostingBatch): string[] {
    new PostingRouter({ partitionCount: this.partitions } as Engine, SEEDS, undefined).route(batch);
    const submission = { batch, commandCount: batch.count, itemAt: (at: number) => at, setAside: () => false, hasSuspects: false, signatureValid: () => true };
    // What was refused for its shape has no partition.
    const partition = batch.partitions.subarray(0, batch.count).find((each) => each !== -1);
    if (partition !== undefined) this.turn(partition, (turn, state) => state.decidePostings(turn, submission as unknown as PostingSubmission));
    const verdicts = Array.from({ length: batch.count }, (_, index) => wordOf(batch.outcomes[index] as number));
    batch.release();
    return verdicts;
  }

  private command(accountId: string, requestId: string, command: KeyedCommand): string {
    const item: AccountCommandItem = itemOf(SEEDS, requestId, accountId, command);
    const submission = { commandCount: 1, itemAt: () => 0, item: () => item, setAside: () => false };
    this.turn(this.partitionOf(accountId), (turn, state) => state.decideCommands(turn, submission as unknown as CommandSubmission));
    return wordOf(item.outcome);
  }

  // ---- what the engine asks for ----

  /** The oldest delivery between the partitions that its target has not decided; its verdict stays with it. */
  deliver(delivery: DeliveryUnderWay): InternalVerdict {
    const [verdict] = this.internal(delivery.to, { ...delivery, id: 'd', origin: 'delivery' });
    if (verdict === undefined) throw new Error('the target gave no verdict');
    delivery.verdict = verdict;
    return verdict;
  }

  /** The source hears the verdict. */
  settle(delivery: DeliveryUnderWay): void {
    const { verdict } = delivery;
    if (verdict === undefined || verdict.kind === 'undecidable') throw new Error('there is no verdict');
    this.deliveries.splice(this.deliveries.indexOf(delivery), 1);
    const settled: SettledDelivery = {
      ...delivery,
      partition: delivery.to,
      id: 'd',
      accepted: verdict.kind === 'accepted',
      reason: verdict.kind === 'rejected' ? verdict.reason : '',
      answer: NO_PAYLOAD,
    };
    this.turn(delivery.from, (turn, state) => state.settled(turn, [settled]));
  }

  deliverAll(): void {
    for (const delivery of [...this.deliveries]) {
      if (delivery.verdict === undefined) this.deliver(delivery);
      this.settle(delivery);
    }
  }

  fire(timer: Timer): InternalVerdict {
    this.timers.delete(nameOf(timer));
    this.nowUs = Math.max(this.nowUs, timer.dueAtUs);
    return this.internal(this.partitionOf(timer.key), { ...timer, id: 't', origin: 'timer' })[0] as InternalVerdict;
  }

  internal(partition: number, ...commands: Parameters<NonNullable<AccountState['decideInternal']>>[1][number][]): readonly InternalVerdict[] {
    let verdicts: readonly InternalVerdict[] = [];
    this.turn(partition, (turn, state) => {
      verdicts = state.decideInternal(turn, commands);
    });
    return verdicts;
  }

  // ---- what stands ----

  account(accountId: string) {
    const id = Buffer.from(accountId, 'utf8');
    const { postings } = this.states[this.partitionOf(accountId)] as AccountState;
    return postings.account(postings.ordinalOf(id, 0, id.length));
  }

  /** What the partition keeps of business dates. */
  daysOf(partition: number): AccountDays {
    return (this.states[partition] as AccountState)['days'];
  }

  ordinalOf(accountId: string): number {
    const id = Buffer.from(accountId, 'utf8');
    return (this.states[this.partitionOf(accountId)] as AccountState).postings.ordinalOf(id, 0, id.length);
  }

  /** Every account reads its log again. */
  replayAll(): void {
    this.states = this.commits.map((commits, partition) => {
      const state = this.newState(partition);
      for (const commit of commits) for (const event of commit.events) for (const _step of state.replay(event, commit) ?? []);
      return state;
    });
  }

  /** Every account is read from a snapshot. */
  restoreAll(): void {
    this.states = this.states.map((state, partition) => {
      const restored = this.newState(partition);
      const session = state.beginSnapshot();
      for (let block = session.next(); block !== undefined; block = session.next()) restored.restore(block, ACCOUNT_RECORD_VERSION);
      session.end(true);
      return restored;
    });
  }

  /** The newest commit of the partition as readable events. */
  lastEvents(partition: number): readonly { readonly type: string; readonly payload: Uint8Array }[] {
    return this.commits[partition]?.at(-1)?.events ?? [];
  }

  private turn(partition: number, decide: (turn: Turn, state: AccountState) => void): void {
    const commits = this.commits[partition] as DecodedCommit[];
    const writer = new CommitWriter();
    const sequence = commits.length + 1;
    this.nowUs += 1_000;
    writer.begin({ incarnation: Buffer.alloc(16), partition, sequence, epoch: 1, committedAtUs: this.nowUs, previousChecksum: NO_CHECKSUM }, []);
    const turn = new Turn(sequence, this.nowUs, writer, this.roomsOf(partition), []);
    decide(turn, this.states[partition] as AccountState);
    turn.close();
    commits.push(readCommit(writer.finish()));
  }

  private roomsOf(from: number): Rooms {
    const room = {
      name: '',
      snapshotVersion: 1,
      flush: () => undefined,
      beginSnapshot: () => ({ next: () => undefined, end: () => undefined }),
      restore: () => undefined,
    };
    return {
      deliveries: {
        ...room,
        owe: (_turn, delivery) => {
          this.deliveries.push({ ...delivery, payload: Buffer.from(delivery.payload), from, to: delivery.partition ?? this.partitionOf(delivery.key) });
          return 'd';
        },
      },
      timers: { ...room, set: (_turn, timer) => void this.timers.set(nameOf(timer), timer), cancel: (_turn, timer) => void this.timers.delete(nameOf(timer)) },
    };
  }

  private newState(partition: number): AccountState {
    const index = { add: () => undefined, allRecent: () => [] };
    return new AccountState({ partition, seeds: SEEDS, index } as unknown as PartitionServices, undefined as unknown as Signatures, () => undefined);
  }
}

function nameOf({ key, timerId }: Pick<Timer, 'key' | 'timerId'>): string {
  return `${key.length}:${key}${timerId}`;
}

function wordOf(outcome: number): string {
  return outcome === ACCEPTED ? 'accepted' : (OUTCOME_REASONS[outcome] ?? `outcome ${outcome}`);
}
