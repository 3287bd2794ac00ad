/** The projector as a service: in this thread, or in front of one that runs in another. */
import type { Clock, EventLog } from '@sluice/ports';
import { systemClock } from '@sluice/ports';
import type { Readiness, ServiceRuntime } from '@sluice/service';
import { BlockedPartitions } from './blocked-partitions';
import { logService } from './log-service';
import { projectionService } from './projection-service';
import { Projector, type ProjectorOptions } from './projector';
import type { ProjectorControl } from './projector-control';
import { SILENT_PROJECTOR_OBSERVER } from './projector-observer';

export interface ProjectorRuntime extends ServiceRuntime {
  readonly control: ProjectorControl;
}

/** Projects in this thread. Closes none of the ports that it is given. */
export async function startProjector(options: ProjectorOptions): Promise<ProjectorRuntime> {
  const blocked = new BlockedPartitions();
  const observer = blocked.over(options.observer ?? SILENT_PROJECTOR_OBSERVER);
  return serveProjector(await Projector.start({ ...options, observer }), options.log, blocked.readiness, options.clock);
}

/** The services over a projector that runs already. */
export function serveProjector(control: ProjectorControl, log: EventLog, readiness: Readiness, clock: Clock = systemClock): ProjectorRuntime {
  return { control, registrations: [projectionService(control, readiness), logService({ log, clock, control })], stop: () => control.stop() };
}
