/** Products and their terms between messages and the domain. */
import type { Product, ProductTerms } from '@sluice/domain/businessday';
import { faultOfTerms, MAXIMUM_BASIS_POINTS } from '@sluice/domain/day';
import { MAXIMUM_ID_BYTES, type logpb } from '@sluice/protocol';
import type { businessdaypb } from '@sluice/protocol/businessday';
import { checkText, invalidRequest } from '@sluice/service';
import { CAPITALISATION_NAMES, DAY_COUNT_NAMES } from './business-day-names';

const MAXIMUM_NAME_BYTES = 128;
const MAXIMUM_TERM_MONTHS = 1_200;
const MAXIMUM_TERM_DAYS = 36_500;

/** With the defaults of what the request leaves out. Throws INVALID_REQUEST. */
export function productOfRequest(asked: businessdaypb.Product | undefined): Omit<Product, 'version'> {
  if (asked === undefined) throw invalidRequest('product', 'is missing');
  const { productId, name, tiers, debitBasisPoints, termMonths, termDays, renews } = asked;
  checkText(productId, 'product.product_id', 1, MAXIMUM_ID_BYTES);
  checkText(name, 'product.name', 0, MAXIMUM_NAME_BYTES);
  checkTerm(termMonths, 'product.term_months', MAXIMUM_TERM_MONTHS);
  checkTerm(termDays, 'product.term_days', MAXIMUM_TERM_DAYS);
  if (termMonths > 0 && termDays > 0) throw invalidRequest('product.term_days', 'is set beside term_months; a term has months or days');
  const dayCount = DAY_COUNT_NAMES.asked(asked.dayCount, 'product.day_count', 'ACT_365');
  const capitalisation = CAPITALISATION_NAMES.asked(asked.capitalisation, 'product.capitalisation', 'MONTHLY');
  if (debitBasisPoints < 0 || debitBasisPoints > MAXIMUM_BASIS_POINTS)
    throw invalidRequest('product.debit_basis_points', `is ${debitBasisPoints}; it must be 0 to ${MAXIMUM_BASIS_POINTS}`);
  const fault = tiers.length === 0 ? undefined : faultOfTerms({ dayCount, tiers, debitBasisPoints });
  if (fault !== undefined) throw invalidRequest('product.tiers', `cannot be applied: ${fault}`);
  return { productId, name, dayCount, tiers, debitBasisPoints, capitalisation, termMonths, termDays, renews };
}

function checkTerm(value: number, field: string, maximum: number): void {
  if (value < 0 || value > maximum) throw invalidRequest(field, `is ${value}; it must be 0 to ${maximum}`);
}

export function productToProto({ dayCount, capitalisation, tiers, version, ...product }: Product): businessdaypb.Product {
  return {
    ...product,
    dayCount: DAY_COUNT_NAMES.toProto(dayCount),
    tiers: [...tiers],
    capitalisation: CAPITALISATION_NAMES.toProto(capitalisation),
    version: BigInt(version),
  };
}

/** Of an event, an answer or a snapshot. */
export function productFromProto(product: businessdaypb.Product | undefined): Product {
  if (product === undefined) throw new Error('a message about a product has none');
  const { dayCount, capitalisation, version, ...rest } = product;
  return {
    ...rest,
    dayCount: DAY_COUNT_NAMES.fromProto(dayCount),
    capitalisation: CAPITALISATION_NAMES.fromProto(capitalisation),
    version: Number(version),
  };
}

export function termsToProto({ dayCount, tiers, ...terms }: ProductTerms): logpb.ProductTerms {
  return { ...terms, dayCount: DAY_COUNT_NAMES.toProto(dayCount), tiers: [...tiers] };
}

export function termsFromProto({ dayCount, ...terms }: logpb.ProductTerms): ProductTerms {
  return { ...terms, dayCount: DAY_COUNT_NAMES.fromProto(dayCount) };
}
