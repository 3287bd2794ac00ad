/** Products to the messages that travel, and back. */
import { logpb } from '@sluice/protocol';
import { businessdaypb } from '@sluice/protocol/businessday';
import { nameOfValue } from '../enum-wire';
import { expectedPart } from '../expected-part';
import { CAPITALISATIONS, DAY_COUNTS, type Product, type ProductInput } from './product';

export function productToWire(input: ProductInput): businessdaypb.Product {
  const { productId, name = '', dayCount, tiers = [], debitBasisPoints = 0, capitalisation, termMonths = 0, termDays = 0, renews = false } = input;
  return {
    productId,
    name,
    dayCount: logpb.DayCount[`DAY_COUNT_${dayCount ?? 'UNSPECIFIED'}`],
    tiers: tiers.map(({ fromMinor, basisPoints }) => ({ fromMinor, basisPoints })),
    debitBasisPoints,
    capitalisation: businessdaypb.Capitalisation[`CAPITALISATION_${capitalisation ?? 'UNSPECIFIED'}`],
    termMonths,
    termDays,
    renews,
    version: 0n,
  };
}

export function productFromWire(found: businessdaypb.Product | undefined): Product {
  const { dayCount, capitalisation, ...said } = expectedPart(found);
  return {
    ...said,
    dayCount: nameOfValue(DAY_COUNTS, logpb.DayCount, 'DAY_COUNT_', dayCount),
    capitalisation: nameOfValue(CAPITALISATIONS, businessdaypb.Capitalisation, 'CAPITALISATION_', capitalisation),
  };
}
