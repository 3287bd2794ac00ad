/** ProductQueryService: products, from the read store alone. */
import { productMessage, PRODUCTS } from '@sluice/projections/businessday';
import { businessdaypb } from '@sluice/protocol/businessday';
import { refusal, type ServiceRegistration, unary } from '@sluice/service';
import { type Freshness, mergedToken } from '../freshness';
import { checkKey } from '../request-shape';
import { listRows } from './business-day-listing';

export function productQueryService(freshness: Freshness): ServiceRegistration {
  const implementation: businessdaypb.ProductQueryServiceServer = {
    getProduct: unary<businessdaypb.GetProductRequest, businessdaypb.GetProductResponse>(async (request, call) => {
      const { productId } = request;
      checkKey('product_id', productId);
      const row = await (await freshness.copyFor(request, call)).get(PRODUCTS.name, productId);
      if (row === undefined) throw refusal('PRODUCT_NOT_FOUND', `there is no product "${productId}"`, { product_id: productId });
      return { product: productMessage(row), positionToken: mergedToken(request) };
    }),

    listProducts: unary<businessdaypb.ListProductsRequest, businessdaypb.ListProductsResponse>(async (request, call) => {
      const { rows, nextPageToken } = await listRows(() => freshness.copyFor(request, call), PRODUCTS, {}, ['products'], request);
      return { products: rows.map(productMessage), nextPageToken, positionToken: mergedToken(request) };
    }),
  };
  return {
    name: 'sluice.businessday.v1.ProductQueryService',
    definition: businessdaypb.ProductQueryServiceService,
    implementation: { ...implementation },
  };
}
