/** Every collection of the read store: those of the projections, and those that the projector keeps beside them. */
import type { CollectionDefinition } from '@sluice/ports';
import { PROJECTIONS } from './capabilities.generated';
import { PROJECTED_HEADS } from './projected-head';
import { SET_ASIDE } from './set-aside';

export { PROJECTIONS };

export const READ_COLLECTIONS: readonly CollectionDefinition[] = [...PROJECTIONS.flatMap((projection) => projection.collections), SET_ASIDE, PROJECTED_HEADS];
