/** The scheduler as a process of its own. */
import { runServiceProcess } from '@sluice/process';
import { schedulerpb } from '@sluice/protocol';
import { startScheduler } from './scheduler';

void runServiceProcess({
  service: 'scheduler',
  port: 7403,
  definitions: [schedulerpb.SchedulerServiceService],
  async open(opening) {
    const { holder, clock, logger } = opening;
    const lease = await opening.leases();
    const scheduler = opening.keep(await startScheduler({ lease, holder, clock, logger }), (runtime) => runtime.stop());
    return scheduler.registrations;
  },
});
