/** Tasks in the read store: their projection, and the readers of its rows. */
export { taskProjection as projection } from './task-projection';
export * from './collections';
export * from './task-reader';
