/** The scheduler as a process of its own. */
import { runServiceProcess } from '@sluice/process';
import { schedulerpb } from '@sluice/protocol';
import { WELL_KNOWN_PORTS } from '@sluice/service';
import { startScheduler } from './scheduler';

/** Nothing is fired for so long when the scheduler that acts dies. */
const LEASE_TTL_MS = 6_000;

void runServiceProcess({
  service: 'scheduler',
  port: WELL_KNOWN_PORTS.scheduler,
  definitions: [schedulerpb.SchedulerServiceService],
  async open(opening) {
    const { clock, logger } = opening;
    const lease = await opening.leases(LEASE_TTL_MS);
    const scheduler = opening.keep(await startScheduler({ lease, clock, logger }), (runtime) => runtime.stop());
    return scheduler.registrations;
  },
});
