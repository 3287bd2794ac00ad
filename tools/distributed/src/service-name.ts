/** The services that run as processes of their own, in the order in which they are started and shown. */
export const SERVICE_NAMES = ['command', 'query', 'projector', 'scheduler'] as const;
export type ServiceName = (typeof SERVICE_NAMES)[number];

/** Where the first instance of each is found when nothing else is asked for. */
export const WELL_KNOWN_PORTS: Readonly<Record<ServiceName, number>> = { command: 7400, query: 7401, projector: 7402, scheduler: 7403 };

/** How many run when nothing else is asked for. */
export const DEFAULT_COUNTS: Readonly<Record<ServiceName, number>> = { command: 2, query: 2, projector: 2, scheduler: 1 };
