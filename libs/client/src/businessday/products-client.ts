/** Everything that can be done with products. */
import { randomUUID } from 'node:crypto';
import type { businessdaypb } from '@sluice/protocol/businessday';
import type { Caller, CallOptions, UnaryMethod } from '../caller';
import { callCommand } from '../command-call';
import type { PositionTracker } from '../position-tracker';
import { iteratePages, type Page, type PageOptions, type ReadOptions, type Reads } from '../reads';
import type { Product, ProductChanged, ProductInput } from './product';
import { productFromWire, productToWire } from './product-wire';

/** @internal */
export interface ProductsClientOptions {
  readonly caller: Caller;
  readonly commands: businessdaypb.ProductCommandServiceClient;
  readonly queries: businessdaypb.ProductQueryServiceClient;
  readonly positions: PositionTracker;
  readonly reads: Reads;
}

export class ProductsClient {
  readonly #options: ProductsClientOptions;

  /** @internal Made by SluiceClient. */
  constructor(options: ProductsClientOptions) {
    this.#options = options;
  }

  async create(input: ProductInput, requestId: string = randomUUID(), options?: CallOptions): Promise<ProductChanged> {
    const { commands } = this.#options;
    return this.#changed(commands.createProduct.bind(commands), { requestId, product: productToWire(input) }, options);
  }

  /** Sets all terms anew. They hold from the next run that begins on. */
  async update(input: ProductInput, requestId: string = randomUUID(), options?: CallOptions): Promise<ProductChanged> {
    const { commands } = this.#options;
    return this.#changed(commands.updateProduct.bind(commands), { requestId, product: productToWire(input) }, options);
  }

  // Reads.

  async get(productId: string, options?: ReadOptions): Promise<Product> {
    const { queries, reads } = this.#options;
    const request = { productId, positionTokens: reads.coveringAll(options) };
    return productFromWire((await reads.read(queries.getProduct.bind(queries), request, options)).product);
  }

  async listPage(options: PageOptions = {}): Promise<Page<Product>> {
    const { queries, reads } = this.#options;
    const request = { pageSize: options.pageSize ?? 0, pageToken: options.pageToken ?? '', positionTokens: reads.coveringAll(options) };
    const { products, nextPageToken } = await reads.read(queries.listProducts.bind(queries), request, options);
    return { items: products.map(productFromWire), nextPageToken };
  }

  /** Products in the order of their codes, page after page as they are asked for. */
  list(options: PageOptions = {}): AsyncGenerator<Product, void, undefined> {
    return iteratePages((page) => this.listPage(page), options);
  }

  async #changed<Request extends { readonly requestId: string }>(
    method: UnaryMethod<Request, businessdaypb.CreateProductResponse>,
    request: Request,
    options: CallOptions | undefined,
  ): Promise<ProductChanged> {
    const { product, repeated, positionToken } = await callCommand(this.#options, method, request, options);
    return { requestId: request.requestId, product: productFromWire(product), repeated, positionToken };
  }
}
