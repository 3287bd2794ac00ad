/**
 * Projections: from commits to the rows that queries answer from, pure. Code that reads the rows of a capability finds their
 * collections and readers at the capability's own entry, so that writer and reader of a row stand side by side.
 */
export * from './attempt-prefix';
export * from './branch-closings';
export * from './combined-verification';
export * from './partition-fold';
export * from './projected-head';
export * from './projection';
export * from './read-collections';
export * from './recent-cache';
export * from './row-pages';
export * from './row-projection';
export * from './row-verification';
export * from './set-aside';
export * from './sortable-number';
export * from './torn-read';
export * from './verification';
