/** Rows of products. */
import type { EventHandlersOf } from '@sluice/protocol';
import { businessDayEvents, businessdaypb } from '@sluice/protocol/businessday';
import { changesBy, evolveByStep, passOver, type RowChange } from '../row-change';
import { projectedRows } from '../row-projection';
import { PRODUCT_AGGREGATE, PRODUCTS } from './collections';

/** sluice.businessday.v1.Product. */
type ProductBytes = Uint8Array;

const CHANGES: EventHandlersOf<typeof businessDayEvents, undefined, RowChange<ProductBytes> | undefined> = {
  BranchRegistered: passOver,
  BranchUpdated: passOver,
  DatesSet: passOver,
  DatesInForce: passOver,
  RunBegun: passOver,
  GoalRaised: passOver,
  TermsTaken: passOver,
  StepBegun: passOver,
  StepAdvanced: passOver,
  StepEnded: passOver,
  OnlineDateMoved: passOver,
  BatchDateMoved: passOver,
  BatchPaused: passOver,
  BatchResumed: passOver,
  ProductSet: ({ product }) => product && { key: product.productId, step: () => businessdaypb.Product.encode(product).finish() },
};

export const productRows = projectedRows({
  aggregate: PRODUCT_AGGREGATE,
  collection: PRODUCTS,
  read: changesBy(businessDayEvents, CHANGES),
  evolve: evolveByStep,
  row: (product: ProductBytes, partition) => ({ partition, product }),
  stateOf: (row) => row.product as ProductBytes,
});
