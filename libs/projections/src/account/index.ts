/** Accounts in the read store: their projection, and the readers of its rows. */
export { accountProjection as projection } from './account-projection';

export * from './account-aggregate';
export * from './account-branch-days';
export * from './account-event';
export * from './account-links';
export * from './account-projection';
export * from './account-reader';
export * from './account-state';
export * from './accounts-of-one-moment';
export * from './closing-id';
export * from './closing-reader';
export * from './collections';
export * from './entry-block';
export * from './entry-chain';
export * from './entry-spine';
export * from './last-day';
export * from './postings-reader';
export * from './record-columns';
export * from './segment-loader';
export * from './segment-writer';
export * from './stated-day';
export * from './transfer-event';
export * from './transfer-fold';
export * from './transfer-group';
export * from './transfer-reader';
export * from './verification/day-proof';
