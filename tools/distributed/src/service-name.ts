/** The services that run as processes of their own, in the order in which they are started and shown. */
export const SERVICE_NAMES = ['command', 'query', 'projector', 'scheduler'] as const;
export type ServiceName = (typeof SERVICE_NAMES)[number];

/** How many run when nothing else is asked for. */
export const DEFAULT_COUNTS: Readonly<Record<ServiceName, number>> = { command: 2, query: 2, projector: 2, scheduler: 1 };
