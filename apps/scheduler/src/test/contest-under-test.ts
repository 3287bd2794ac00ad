/** A contest on a command service over a log in memory, with or without a scheduler. The log of its partition can be blocked. */
import { type CommandRuntime, startCommand } from '@sluice/command';
import type { AggregateState } from '@sluice/engine';
import { SessionLease } from '@sluice/leases';
import { InProcessBus, ManualClock, MemoryEventLog, MemoryKeyring, MemoryLeaseService, MemoryLeaseTable, MemorySnapshotStore } from '@sluice/memory';
import type { CommitToAppend } from '@sluice/ports';
import { logpb } from '@sluice/protocol';
import { accountpb } from '@sluice/protocol/account';
import { contestpb } from '@sluice/protocol/contest';
import { ANYBODY, type CallContext, functionOf, inProcessPeer } from '@sluice/service';
import { oneCommandInstance } from '../owners/command-instances';
import { SCHEDULER_CALLER, type SchedulerRuntime, startScheduler } from '../scheduler';

const IDENTITY = { partitions: 2, incarnation: '00112233445566778899aabbccddeeff', createdAtUs: 1_767_225_600_000_000 };
const CALL = { caller: ANYBODY, ended: false, forwarded: false, deadlineMs: Number.POSITIVE_INFINITY } as CallContext;
const LEASE_MS = 6_000;
/** Of the event loop, in which something has to happen: no failure makes a test endless. */
const MAXIMUM_ROUNDS = 100_000;
/** In partition 1. */
const CONTEST_ID = 'c';
const PARTITION = 1;
/** In partition 0. */
export const GIVER = 'giver';

/** What is read of the contest's state. */
interface ContestState {
  readonly round: number;
  readonly sideRoundPoints: readonly number[];
  readonly unfinishedTasks: number;
}

class BlockableLog extends MemoryEventLog {
  private gate: Promise<void> | undefined;
  private open = (): void => undefined;

  block(): void {
    this.gate = new Promise((resolve) => {
      this.open = resolve;
    });
  }

  unblock(): void {
    this.gate = undefined;
    this.open();
  }

  override async append(commit: CommitToAppend): Promise<void> {
    if (commit.partition === PARTITION) await this.gate;
    return super.append(commit);
  }
}

export class ContestUnderTest {
  readonly clock = new ManualClock();
  readonly log = new BlockableLog(IDENTITY);
  private readonly leases = new MemoryLeaseService();
  private command: CommandRuntime | undefined;
  private scheduler: { readonly runtime: SchedulerRuntime; readonly lease: SessionLease } | undefined;
  private requests = 0;

  /** A contest of two sides and two rounds, whose first round runs, and an account with 100 minor units. */
  static async start(rules: Partial<contestpb.ContestRules> = {}): Promise<ContestUnderTest> {
    const contest = new ContestUnderTest();
    await contest.begin(rules);
    return contest;
  }

  private async begin(rules: Partial<contestpb.ContestRules>): Promise<void> {
    const { log, clock } = this;
    this.command = await startCommand({
      log,
      snapshots: new MemorySnapshotStore(new Map()),
      bus: new InProcessBus({ clock }),
      keyring: new MemoryKeyring(new Map()),
      clock,
      instanceId: 'command',
      pool: 'off',
      sorting: 'here',
    });
    const sides = [
      { sideId: 'red', accountIds: ['r1'] },
      { sideId: 'blue', accountIds: ['b1'] },
    ];
    await this.call('createContest', { sides, rules: { rounds: 2, ...rules } });
    await this.call('startContest', {});
    await this.run('openAccount', { account: accountpb.AccountOpening.fromPartial({ requestId: 'open', accountId: GIVER, unit: 'EUR' }) });
    const posting = accountpb.PostingType.POSTING_TYPE_CREDIT;
    const credit = accountpb.PostRequest.fromPartial({ posting: { requestId: 'credit', accountId: GIVER, type: posting, amountMinor: 100n, unit: 'EUR' } });
    await this.run('post', Buffer.from(accountpb.PostRequest.encode(credit).finish()));
  }

  async stop(): Promise<void> {
    this.log.unblock();
    await this.stopScheduler();
    await this.command?.stop();
  }

  async startScheduler(): Promise<void> {
    const { clock, command } = this;
    const table = new MemoryLeaseTable(this.leases, { clock });
    const lease = await SessionLease.open({ table, holder: { id: 'scheduler', address: '127.0.0.1:7403' }, ttlMs: LEASE_MS, clock });
    const instances = oneCommandInstance({ id: 'command', calls: inProcessPeer(command?.peerRegistrations ?? [], SCHEDULER_CALLER) });
    this.scheduler = { runtime: await startScheduler({ lease, instances, clock }), lease };
  }

  async stopScheduler(): Promise<void> {
    await this.scheduler?.runtime.stop();
    await this.scheduler?.lease.close();
    this.scheduler = undefined;
  }

  get state(): ContestState {
    return (this.command?.engine.partition(PARTITION)?.stateOf('contest') as AggregateState).stateOf('contest', CONTEST_ID) as ContestState;
  }

  /** Calls a method of contests with fields of its request. */
  async call(method: 'createContest' | 'startContest' | 'submitScore' | 'gift' | 'endRound', fields: object): Promise<unknown> {
    this.requests += 1;
    const { requestSerialize, responseDeserialize } = contestpb.ContestCommandServiceService[method];
    const name = `${method[0]?.toUpperCase() ?? ''}${method.slice(1)}Request`;
    const message = (contestpb as unknown as Record<string, { fromPartial(partial: object): never }>)[name];
    const request = message?.fromPartial({ requestId: `request ${this.requests}`, contestId: CONTEST_ID, ...fields });
    return responseDeserialize((await this.run(method, requestSerialize(request as never))) as Buffer);
  }

  /** What the owner lists as unfinished of all partitions, in pages of that size. */
  async unfinished(pageSize = 0, deadOnly = false): Promise<logpb.UnfinishedDelivery[]> {
    const peer = inProcessPeer(this.command?.peerRegistrations ?? [], SCHEDULER_CALLER);
    const found: logpb.UnfinishedDelivery[] = [];
    for (let partition = 0; partition < IDENTITY.partitions; partition += 1) {
      let pageToken = '';
      do {
        const request = { partition, pageSize, pageToken, deadOnly };
        const page = await peer.unary(logpb.DeliveryServiceService.listUnfinished, request, partition, Number.POSITIVE_INFINITY);
        found.push(...page.deliveries);
        pageToken = page.nextPageToken;
      } while (pageToken !== '');
    }
    return found;
  }

  async until(is: (state: ContestState) => boolean): Promise<void> {
    for (let round = 0; !is(this.state); round += 1) {
      if (round === MAXIMUM_ROUNDS) throw new Error(`the contest does not come to it: ${JSON.stringify(this.state)}`);
      await nextRound();
    }
  }

  /** Lets that time pass, and happen what waits for nothing but its turn. */
  async pass(milliseconds: number): Promise<void> {
    await this.clock.elapse(milliseconds);
    for (let round = 0; round < 50; round += 1) await nextRound();
  }

  private async run(method: string, request: unknown): Promise<unknown> {
    const registration = this.command?.registrations.find(({ definition }) => method in definition);
    const carried = functionOf(registration?.implementation[method] as object);
    if (carried?.form !== 'unary') throw new Error(`no service has ${method}`);
    return carried.run(request as never, CALL);
  }
}

function nextRound(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
