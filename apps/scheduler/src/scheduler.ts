/**
 * The scheduler: fires what is due and drives again what is unfinished. One of its instances acts, the others stand by.
 *
 * No capability owes timed or unfinished work yet (accounts answer everything in the turn that takes the command), so there
 * is nothing to fire: the counts of its status are zero because nothing waits, and the lease is held so that the first
 * capability that owes work finds exactly one instance to do it.
 */
import type { Clock, Lease } from '@sluice/ports';
import { schedulerpb, timestampFromUs } from '@sluice/protocol';
import { type Caller, type ServiceRegistration, type ServiceRuntime, unary } from '@sluice/service';
import { type Logger, silentLogger } from '@sluice/telemetry';
import { ActiveLease } from './active-lease';
import type { CommandInstances } from './owners/command-instances';

/** As whom it calls command instances. */
export const SCHEDULER_CALLER: Caller = Object.freeze({ name: 'scheduler', roles: new Set(['operate'] as const) });

export interface SchedulerDependencies {
  /** Its holder is this instance. */
  readonly lease: Lease;
  /** Those that own partitions. Closed with the scheduler. */
  readonly instances: CommandInstances;
  readonly clock: Clock;
  readonly logger?: Logger;
}

export interface SchedulerRuntime extends ServiceRuntime {
  /** Whether this instance is the one that acts. */
  readonly active: boolean;
}

export async function startScheduler(dependencies: SchedulerDependencies): Promise<SchedulerRuntime> {
  const { lease, instances, clock, logger = silentLogger } = dependencies;
  const startedAt = timestampFromUs(clock.nowUs());
  const activeLease = new ActiveLease(lease, clock, logger);
  await activeLease.start();
  const registration: ServiceRegistration = {
    name: 'sluice.scheduler.v1.SchedulerService',
    definition: schedulerpb.SchedulerServiceService,
    implementation: {
      getStatus: unary<schedulerpb.GetStatusRequest, schedulerpb.GetStatusResponse>(async () => ({
        startedAt,
        instanceId: lease.holder.id,
        active: activeLease.active,
        waitingTimers: 0n,
        unfinished: 0n,
      })),
    },
  };
  return {
    registrations: [registration],
    get active() {
      return activeLease.active;
    },
    stop: async () => {
      instances.close();
      await activeLease.stop();
    },
  };
}
