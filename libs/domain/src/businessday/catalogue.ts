/**
 * The catalogue: all products, as one aggregate.
 *
 *   product   CreateProduct     UpdateProduct
 *   missing   created           PRODUCT_NOT_FOUND
 *   there     PRODUCT_EXISTS    set anew
 *
 * Both are TOO_MANY_PRODUCTS where there were more products, or longer terms, than a run can take along.
 */
import type { Product } from './product';

export const MAXIMUM_PRODUCTS = 1_000;
/** A step of a run takes the terms of all products to every partition, in one commit. */
export const MAXIMUM_TERMS_BYTES = 64 << 10;
/** Of a product beside its id, and of a tier, in a message. */
const TERMS_BYTES = 24;
const TIER_BYTES = 18;
/** UTF-8, of a unit of UTF-16, at most. */
const BYTES_OF_CHARACTER = 3;

export interface Catalogue {
  readonly products: ReadonlyMap<string, Product>;
}

export type CatalogueCommand =
  | { readonly kind: 'createProduct' | 'updateProduct'; readonly product: Omit<Product, 'version'> }
  /** A run wants the terms of all products. */
  | { readonly kind: 'takeTerms' };

export interface CatalogueEvent {
  readonly kind: 'productSet';
  readonly product: Product;
}

export type CatalogueDecision =
  | { readonly accepted: true; readonly events: readonly CatalogueEvent[] }
  | { readonly accepted: false; readonly rejection: 'PRODUCT_EXISTS' | 'PRODUCT_NOT_FOUND' | 'TOO_MANY_PRODUCTS' };

export const NEW_CATALOGUE: Catalogue = { products: new Map() };

export function decideCatalogue({ products }: Catalogue, command: CatalogueCommand): CatalogueDecision {
  if (command.kind === 'takeTerms') return { accepted: true, events: [] };
  const known = products.get(command.product.productId);
  if (command.kind === 'updateProduct') {
    if (known === undefined) return { accepted: false, rejection: 'PRODUCT_NOT_FOUND' };
  } else if (known !== undefined) return { accepted: false, rejection: 'PRODUCT_EXISTS' };
  else if (products.size >= MAXIMUM_PRODUCTS) return { accepted: false, rejection: 'TOO_MANY_PRODUCTS' };
  if (termsBytes(products, command.product) > MAXIMUM_TERMS_BYTES) return { accepted: false, rejection: 'TOO_MANY_PRODUCTS' };
  return { accepted: true, events: [{ kind: 'productSet', product: { ...command.product, version: (known?.version ?? 0) + 1 } }] };
}

/** What the terms take together, with those of the product, at most. */
function termsBytes(products: Catalogue['products'], changed: Omit<Product, 'version'>): number {
  let bytes = bytesOf(changed);
  for (const product of products.values()) if (product.productId !== changed.productId) bytes += bytesOf(product);
  return bytes;
}

function bytesOf({ productId, tiers }: Pick<Product, 'productId' | 'tiers'>): number {
  return productId.length * BYTES_OF_CHARACTER + TERMS_BYTES + tiers.length * TIER_BYTES;
}

export function evolveCatalogue({ products }: Catalogue, { product }: CatalogueEvent): Catalogue {
  return { products: new Map(products).set(product.productId, product) };
}
