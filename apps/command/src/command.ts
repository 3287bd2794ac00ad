/**
 * The command service: accepts, routes to the partition's owner, decides, commits, answers.
 */
import { Engine, hashSeeds, SILENT_OBSERVER, type EngineObserver, type PartitionLimits, type PoolMode } from '@sluice/engine';
import type { Bus, Clock, EventLog, Keyring, SnapshotStore } from '@sluice/ports';
import type { ServiceRuntime } from '@sluice/service';
import { accountCapability } from './account/account-capability';
import { AccountService } from './account/account-service';
import { Signatures } from './account/signatures';

export interface CommandDependencies {
  readonly log: EventLog;
  readonly snapshots: SnapshotStore;
  readonly bus: Bus;
  readonly keyring: Keyring;
  readonly clock: Clock;
  /** Id of this instance. */
  readonly instanceId: string;
  readonly pool?: PoolMode;
  readonly limits?: Partial<PartitionLimits>;
  readonly observer?: EngineObserver;
}

export interface CommandRuntime extends ServiceRuntime {
  readonly engine: Engine;
}

/** Owns every partition of the log (the embedded mode). Throws CorruptCommitError for a log that does not verify. */
export async function startCommand(dependencies: CommandDependencies): Promise<CommandRuntime> {
  const { log, snapshots, bus, keyring, clock, instanceId, limits, observer = SILENT_OBSERVER } = dependencies;
  const signatures = new Signatures(keyring, dependencies.pool ?? 'auto');
  const engine = new Engine({
    log,
    snapshots,
    bus,
    clock,
    capabilities: [accountCapability(signatures, (partition, what, error) => observer.trouble(partition, what, error))],
    owner: instanceId,
    observer,
    ...(limits === undefined ? undefined : { limits }),
  });
  const { incarnation, partitions } = log.identity;
  // One after the other: replaying is bound by this thread, and memory stays low.
  for (let partition = 0; partition < partitions; partition += 1) await engine.own(partition);
  const service = new AccountService({ engine, keyring, incarnation, seeds: hashSeeds(Buffer.from(incarnation, 'hex')) });
  return {
    engine,
    registrations: [service.registration()],
    stop: async () => {
      await engine.stop({ snapshot: true });
      await signatures.close();
    },
  };
}
