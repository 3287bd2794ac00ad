/** The port of each service that runs as a process of its own, where SLUICE_PORT says nothing. */
export const WELL_KNOWN_PORTS = { command: 7400, query: 7401, projector: 7402, scheduler: 7403 } as const;
