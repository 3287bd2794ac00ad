import { dateFromText } from '../day';
import { decideCatalogue, evolveCatalogue, MAXIMUM_PRODUCTS, NEW_CATALOGUE, type Catalogue } from './catalogue';
import { bearsInterest, hasTerm, isCapitalised, termsOn, type Capitalisation, type Product } from './product';

const SAVINGS: Product = {
  productId: 'savings',
  name: '',
  dayCount: 'ACT_365',
  tiers: [{ fromMinor: 0n, basisPoints: 100 }],
  debitBasisPoints: 0,
  capitalisation: 'MONTHLY',
  termMonths: 0,
  termDays: 0,
  renews: false,
  version: 1,
};
const on = (text: string): number => dateFromText(text) as number;

// A date, the next business date, and what is capitalised then.
test.each`
  date            | nextDate        | capitalised
  ${'2026-11-26'} | ${'2026-11-27'} | ${['DAILY']}
  ${'2026-11-27'} | ${'2026-11-30'} | ${['DAILY']}
  ${'2026-11-30'} | ${'2026-12-01'} | ${['DAILY', 'MONTHLY']}
  ${'2026-01-30'} | ${'2026-02-02'} | ${['DAILY', 'MONTHLY']}
  ${'2026-03-31'} | ${'2026-04-01'} | ${['DAILY', 'MONTHLY', 'QUARTERLY']}
  ${'2026-12-31'} | ${'2027-01-04'} | ${['DAILY', 'MONTHLY', 'QUARTERLY', 'YEARLY']}
  ${'2026-11-30'} | ${'2027-11-30'} | ${['DAILY', 'MONTHLY', 'QUARTERLY', 'YEARLY']}
`('$date, then $nextDate: $capitalised', ({ date, nextDate, capitalised }) => {
  const all: Capitalisation[] = ['DAILY', 'MONTHLY', 'QUARTERLY', 'YEARLY', 'AT_MATURITY'];
  expect(all.filter((one) => isCapitalised(one, on(date), on(nextDate)))).toEqual(capitalised);
});

test('terms of a product on a date', () => {
  const terms = (product: Partial<Product>) => termsOn({ ...SAVINGS, ...product }, on('2026-11-30'), on('2026-12-01'));
  expect(terms({})).toEqual({
    productId: 'savings',
    dayCount: 'ACT_365',
    tiers: [{ fromMinor: 0n, basisPoints: 100 }],
    debitBasisPoints: 0,
    capitalise: true,
    termMonths: 0,
    termDays: 0,
    renews: false,
  });
  expect(bearsInterest(terms({ tiers: [] }))).toBe(false);
  expect(terms({ tiers: [], debitBasisPoints: 1_200 }).tiers).toEqual([{ fromMinor: 0n, basisPoints: 0 }]);
  expect([terms({}), terms({ termDays: 1 }), terms({ termMonths: 1 })].map(hasTerm)).toEqual([false, true, true]);
});

test('products are created once, set anew, and bounded in number', () => {
  let catalogue: Catalogue = NEW_CATALOGUE;
  const ask = (kind: 'createProduct' | 'updateProduct', productId: string): string => {
    const decision = decideCatalogue(catalogue, { kind, product: { ...SAVINGS, productId } });
    if (!decision.accepted) return decision.rejection;
    for (const event of decision.events) catalogue = evolveCatalogue(catalogue, event);
    return `version ${catalogue.products.get(productId)?.version}`;
  };
  expect([ask('updateProduct', 'p0'), ask('createProduct', 'p0'), ask('createProduct', 'p0'), ask('updateProduct', 'p0')]).toEqual([
    'PRODUCT_NOT_FOUND',
    'version 1',
    'PRODUCT_EXISTS',
    'version 2',
  ]);
  for (let at = 1; at < MAXIMUM_PRODUCTS; at += 1) ask('createProduct', `p${at}`);
  expect([ask('createProduct', 'one more'), ask('updateProduct', 'p999')]).toEqual(['TOO_MANY_PRODUCTS', 'version 2']);
});

test('terms that are too long together are refused', () => {
  const tiers = Array.from({ length: 20 }, (_, at) => ({ fromMinor: BigInt(at), basisPoints: 1 }));
  let catalogue: Catalogue = NEW_CATALOGUE;
  let created = 0;
  for (;;) {
    const decision = decideCatalogue(catalogue, { kind: 'createProduct', product: { ...SAVINGS, productId: `p${created}`, tiers } });
    if (!decision.accepted) {
      expect(decision.rejection).toBe('TOO_MANY_PRODUCTS');
      break;
    }
    for (const event of decision.events) catalogue = evolveCatalogue(catalogue, event);
    created += 1;
  }
  expect(created).toBe(166);
});
