/**
 * Projections: from commits to the rows that queries answer from, pure. Who wants to read the rows finds their collections
 * and readers here too, so that writer and reader of a row stand side by side.
 */
import type { CollectionDefinition } from '@sluice/ports';
import { accountProjection } from './account/account-projection';
import { PROJECTED_HEADS } from './projected-head';
import type { Projection } from './projection';
import { SET_ASIDE } from './set-aside';

/** Every capability's projection. */
export const PROJECTIONS: readonly Projection[] = [accountProjection];

/** Every collection of the read store. */
export const READ_COLLECTIONS: readonly CollectionDefinition[] = [...PROJECTIONS.flatMap((projection) => projection.collections), SET_ASIDE, PROJECTED_HEADS];

export * from './account/account-event';
export * from './account/account-links';
export * from './account/account-projection';
export * from './account/account-reader';
export * from './account/account-state';
export * from './account/collections';
export * from './account/entry-block';
export * from './account/entry-chain';
export * from './account/entry-spine';
export * from './account/postings-reader';
export * from './account/record-columns';
export * from './account/segment-writer';
export * from './partition-fold';
export * from './projected-head';
export * from './projection';
export * from './recent-cache';
export * from './set-aside';
