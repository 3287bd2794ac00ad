/** Contests in the read store: their projection, and the readers of its rows. */
export { contestProjection as projection } from './contest-projection';
export * from './collections';
export * from './contest-reader';
export { rosterStateOf, standingsStateOf, type RosterState, type StandingsState } from './contest-rows';
