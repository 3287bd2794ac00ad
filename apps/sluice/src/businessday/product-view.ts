/** Products as people see them. */
import type { Product } from '@sluice/client';
import type { Cell } from '../output';

export function productPairs(product: Product): readonly (readonly [string, Cell])[] {
  return [
    ['product', product.productId],
    ['name', product.name],
    ['interest', ratesText(product)],
    ['debit interest', percentText(product.debitBasisPoints)],
    ['day count', product.dayCount],
    ['booked', product.capitalisation],
    ['term', termText(product)],
    ['version', product.version],
  ];
}

export const PRODUCT_COLUMNS: Readonly<Record<string, (row: Product) => Cell>> = {
  product: (row) => row.productId,
  name: (row) => row.name,
  interest: ratesText,
  'debit interest': (row) => percentText(row.debitBasisPoints),
  'day count': (row) => row.dayCount,
  booked: (row) => row.capitalisation,
  term: termText,
};

function ratesText({ tiers }: Product): string {
  return tiers.map(({ fromMinor, basisPoints }) => `${percentText(basisPoints) || '0.00 %'}${fromMinor === 0n ? '' : ` from ${fromMinor}`}`).join(', ');
}

/** '' for none. */
function percentText(basisPoints: number): string {
  return basisPoints === 0 ? '' : `${(basisPoints / 100).toFixed(2)} %`;
}

function termText({ termMonths, termDays, renews }: Product): string {
  if (termMonths === 0 && termDays === 0) return '';
  return `${termMonths > 0 ? `${termMonths} months` : `${termDays} days`}, ${renews ? 'renews' : 'goes to the linked account'}`;
}
