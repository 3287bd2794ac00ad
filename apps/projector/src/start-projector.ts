/** The projector as a service: in this thread, or in front of one that runs in another. */
import type { Clock, EventLog } from '@sluice/ports';
import { systemClock } from '@sluice/ports';
import type { ServiceRuntime } from '@sluice/service';
import { logService } from './log-service';
import { projectionService } from './projection-service';
import { Projector, type ProjectorOptions } from './projector';
import type { ProjectorControl } from './projector-control';

export interface ProjectorRuntime extends ServiceRuntime {
  readonly control: ProjectorControl;
}

/** Projects in this thread. Closes none of the ports that it is given. */
export async function startProjector(options: ProjectorOptions): Promise<ProjectorRuntime> {
  return serveProjector(await Projector.start(options), options.log, options.clock);
}

/** The services over a projector that runs already. */
export function serveProjector(control: ProjectorControl, log: EventLog, clock: Clock = systemClock): ProjectorRuntime {
  return { control, registrations: [projectionService(control), logService({ log, clock, control })], stop: () => control.stop() };
}
