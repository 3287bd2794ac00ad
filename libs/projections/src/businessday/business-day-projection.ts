/**
 * The projection of business days. A branch, a run, the totals of a run and a product are a row each, in the partition of the branch or of the catalogue of products.
 * The rows of one branch may be of different moments.
 */
import type { Projection } from '../projection';
import { projectRows } from '../row-projection';
import { branchRows } from './branch-rows';
import { businessDayVerification } from './business-day-verification';
import { BUSINESS_DAY_PROJECTION } from './collections';
import { dayTotalsRows } from './day-totals-rows';
import { productRows } from './product-rows';
import { runRows } from './run-rows';

export const businessDayProjection: Projection = {
  ...BUSINESS_DAY_PROJECTION,
  ...projectRows(dayTotalsRows, runRows, branchRows, productRows),
  verification: businessDayVerification,
};
