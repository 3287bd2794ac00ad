/** The scheduler as a process of its own. */
import { runServiceProcess } from '@sluice/process';
import { schedulerpb } from '@sluice/protocol';
import { WELL_KNOWN_PORTS } from '@sluice/service';
import { startScheduler } from './scheduler';

void runServiceProcess({
  service: 'scheduler',
  port: WELL_KNOWN_PORTS.scheduler,
  definitions: [schedulerpb.SchedulerServiceService],
  async open(opening) {
    const { holder, clock, logger } = opening;
    const lease = await opening.leases();
    const scheduler = opening.keep(await startScheduler({ lease, holder, clock, logger }), (runtime) => runtime.stop());
    return scheduler.registrations;
  },
});
