/** The command service over a log in memory, called with encoded requests; and the accounts that the projection makes of the log. */
import { startCommand, type CommandRuntime } from '@sluice/command';
import { InProcessBus, ManualClock, MemoryEventLog, MemoryKeyring, MemoryLogStorage, MemoryReadStore, MemorySnapshotStore } from '@sluice/memory';
import type { ReadCopy, Row } from '@sluice/ports';
import { PartitionFold, PROJECTIONS, READ_COLLECTIONS } from '@sluice/projections';
import { readAccount } from '@sluice/projections/account';
import { readCommit } from '@sluice/protocol';
import { functionOf, SluiceError, type CallContext } from '@sluice/service';
import { BRANCH, type BranchCommand } from './business-days';
import type { GoldenAccount, GoldenLog, GoldenRequest } from './golden-log';

const CALL = { ended: false, forwarded: false, deadlineMs: Number.POSITIVE_INFINITY } as CallContext;

export class GoldenService {
  readonly clock = new ManualClock();
  private readonly snapshots = new MemorySnapshotStore();
  private runtime: CommandRuntime | undefined;

  constructor(readonly storage: MemoryLogStorage) {}

  static over(golden: GoldenLog): GoldenService {
    const service = new GoldenService(new MemoryLogStorage({ partitions: golden.partitions, incarnation: golden.incarnation, createdAtUs: 0 }));
    golden.commits.forEach((commits, partition) =>
      commits.forEach((bytes, at) => {
        const commit = { partition, sequence: at + 1, bytes: Buffer.from(bytes, 'base64'), commandCount: 0, committedAtUs: 0, eventTypes: [] };
        service.storage.commitsOf(partition).push(commit);
      }),
    );
    return service;
  }

  async start(): Promise<void> {
    this.runtime = await startCommand({
      log: new MemoryEventLog(this.storage),
      snapshots: this.snapshots,
      bus: new InProcessBus({ clock: this.clock }),
      keyring: new MemoryKeyring(),
      clock: this.clock,
      instanceId: 'golden',
      pool: 'off',
    });
  }

  /** Leaves snapshots, from which the next start goes on. */
  async stop(): Promise<void> {
    await this.runtime?.stop();
    this.runtime = undefined;
  }

  /** What is due is fired, as the scheduler asks for, and what is owed has its verdict. */
  async settled(): Promise<void> {
    const { engine } = this.runtime ?? {};
    if (engine === undefined) return;
    for (const partition of engine.timers.partitions) await engine.timers.of(partition)?.fire(this.clock.nowUs());
    const owed = (): number => engine.owned.reduce((sum, partition) => sum + (engine.partition(partition)?.deliveries.counts.unfinished ?? 0), 0);
    while (owed() > 0) await this.clock.elapse(1);
  }

  /** Asks the accounts of the partition for what the branch owes them by a delivery; resolves when it is durable. */
  ask({ partition, method, payload }: BranchCommand): Promise<void> {
    const owner = this.runtime?.engine.partition(partition);
    if (owner === undefined) throw new Error(`partition ${partition} is not owned`);
    const command = { capability: 'account', method, key: BRANCH, payload, id: method, origin: 'delivery' as const };
    return new Promise((resolve, reject) => {
      owner.submit({
        commandCount: 1,
        sizeBytes: payload.length,
        recordBytes: 1 << 20,
        decide: (turn) => {
          const [verdict] = owner.stateOf('account').decideInternal?.(turn, [command]) ?? [];
          if (verdict?.kind !== 'accepted') throw new Error(`${method}: ${verdict?.reason ?? 'no verdict'}`);
        },
        settle: () => resolve(),
        fail: (failure) => reject(new Error(failure)),
      });
    });
  }

  /** Calls the method and keeps what came of it. */
  async call(method: string, request: Uint8Array): Promise<GoldenRequest> {
    const asked = { method, request: Buffer.from(request).toString('base64') };
    const [registration] = this.runtime?.registrations ?? [];
    const definition = registration?.definition[method];
    const carried = functionOf(registration?.implementation[method] as object);
    if (definition === undefined || carried === undefined) throw new Error(`the service has no ${method}`);
    const run = carried.run as unknown as (request: unknown, call: CallContext) => Promise<unknown>;
    try {
      const response = await run(definition.requestDeserialize(Buffer.from(request)), CALL);
      return { ...asked, response: definition.responseSerialize(response).toString('base64') };
    } catch (error) {
      if (error instanceof SluiceError) return { ...asked, refused: error.reason };
      throw error;
    }
  }
}

/** The accounts of the log as the read store has them after one pass, by id. */
export async function projectedAccounts(storage: MemoryLogStorage, accountIds: readonly string[]): Promise<GoldenAccount[]> {
  const { incarnation, partitions } = storage.identity;
  const copy = await new MemoryReadStore({ collections: READ_COLLECTIONS, identity: { incarnation, partitions } }).current();
  for (let partition = 0; partition < partitions; partition += 1) await project(copy, storage, partition);
  const accounts = await Promise.all(accountIds.map((accountId) => readAccount(copy, accountId, true)));
  return accounts.flatMap((snapshot) => {
    if (snapshot === undefined) return [];
    const { account, profile, holds } = snapshot;
    return {
      accountId: account.accountId,
      unit: profile.unit,
      branchId: profile.branchId,
      product: profile.product,
      status: profile.status,
      balanceMinor: String(account.balanceMinor),
      heldMinor: String(account.heldMinor),
      holds: [...(holds?.holds ?? [])].map(([holdId, remaining]) => [holdId, String(remaining)] as const),
      version: account.version,
      entryCount: account.entryCount,
      rejectionCount: account.rejectionCount,
      signingKeyId: profile.signingKeyId,
      openedAtUs: profile.openedAtUs,
    };
  });
}

async function project(copy: ReadCopy, storage: MemoryLogStorage, partition: number): Promise<void> {
  const commits = storage.commitsOf(partition);
  if (commits.length === 0) return;
  const fold = new PartitionFold(partition, PROJECTIONS, new Map(), 1_000);
  for (const { bytes } of commits) fold.take(readCommit(bytes));
  const nothing = new Map([...fold.missing().keys()].map((collection) => [collection, new Map<string, Row>()]));
  const { batch, setAside } = fold.project(nothing, 'golden');
  if (setAside.length > 0) throw new Error(`partition ${partition}: ${setAside.map(({ key, error }) => `${key}: ${error}`).join('; ')}`);
  await copy.apply(batch);
}
