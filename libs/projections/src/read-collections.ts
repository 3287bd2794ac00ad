/** Every collection of the read store: those of the projections, and those that the projector keeps beside them. */
import type { CollectionDefinition } from '@sluice/ports';
import { PROJECTIONS } from './capabilities.generated';
import { PROJECTED_HEADS } from './projected-head';
import { collectionsOf, type Projection } from './projection';
import { SET_ASIDE } from './set-aside';

export { PROJECTIONS };

export const READ_COLLECTIONS: readonly CollectionDefinition[] = readCollectionsOf(PROJECTIONS);

/** What a store needs for these projections. */
export function readCollectionsOf(projections: readonly Projection[]): CollectionDefinition[] {
  return [...projections.flatMap(collectionsOf), SET_ASIDE, PROJECTED_HEADS];
}
