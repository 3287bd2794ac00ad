/**
 * The scheduler: fires what is due and drives again what is unfinished. One of its instances acts, the others stand by.
 *
 * What waits is in the partitions and durable there; the scheduler keeps nothing. Each instance watches when timers are due, so that the next one
 * can act at once, and answers questions about them.
 */
import type { Clock, Lease } from '@sluice/ports';
import { schedulerpb, timestampFromUs } from '@sluice/protocol';
import { type Caller, type ServiceRegistration, type ServiceRuntime, unary } from '@sluice/service';
import { type Logger, silentLogger } from '@sluice/telemetry';
import { ActiveLease } from './active-lease';
import { UnfinishedDeliveries } from './deliveries/unfinished-deliveries';
import type { CommandInstances } from './owners/command-instances';
import { DueWatch } from './timers/due-watch';
import { TimerDriver } from './timers/timer-driver';
import { listTimers, redriveTimers } from './timers/timer-listing';

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
  const driving: { driver?: TimerDriver } = {};
  const wake = (): void => driving.driver?.wake();
  const activeLease = new ActiveLease(lease, clock, logger, wake);
  const watch = new DueWatch({ instances, clock, logger, changed: wake });
  const driver = new TimerDriver({ watch, clock, logger, acts: () => activeLease.holds });
  driving.driver = driver;
  const unfinished = new UnfinishedDeliveries({ watch, clock, logger, acts: () => activeLease.holds });
  await activeLease.start();
  const registration: ServiceRegistration = {
    name: 'sluice.scheduler.v1.SchedulerService',
    definition: schedulerpb.SchedulerServiceService,
    implementation: {
      getStatus: unary<schedulerpb.GetStatusRequest, schedulerpb.GetStatusResponse>(async () => ({
        startedAt,
        instanceId: lease.holder.id,
        active: activeLease.active,
        waitingTimers: [...watch.partitions()].reduce((sum, { pending }) => sum + BigInt(pending), 0n),
        unfinished: unfinished.count,
      })),
      listTimers: unary<schedulerpb.ListTimersRequest, schedulerpb.ListTimersResponse>((request) => listTimers(watch, request)),
      redriveTimers: unary<schedulerpb.RedriveTimersRequest, schedulerpb.RedriveTimersResponse>((request) => redriveTimers(watch, request)),
      listUnfinished: unary<schedulerpb.ListUnfinishedRequest, schedulerpb.ListUnfinishedResponse>((request) => unfinished.list(request)),
      redrive: unary<schedulerpb.RedriveRequest, schedulerpb.RedriveResponse>((request) => unfinished.redrive(request)),
    },
  };
  return {
    registrations: [registration],
    get active() {
      return activeLease.active;
    },
    stop: async () => {
      driver.close();
      unfinished.close();
      watch.close();
      instances.close();
      await activeLease.stop();
    },
  };
}
