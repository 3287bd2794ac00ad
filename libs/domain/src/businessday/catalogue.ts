/**
 * The catalogue: all products, as one aggregate.
 *
 *   product   CreateProduct     UpdateProduct
 *   missing   created           PRODUCT_NOT_FOUND
 *   there     PRODUCT_EXISTS    set anew
 */
import type { Product } from './product';

export const MAXIMUM_PRODUCTS = 1_000;

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
  return { accepted: true, events: [{ kind: 'productSet', product: { ...command.product, version: (known?.version ?? 0) + 1 } }] };
}

export function evolveCatalogue({ products }: Catalogue, { product }: CatalogueEvent): Catalogue {
  return { products: new Map(products).set(product.productId, product) };
}
