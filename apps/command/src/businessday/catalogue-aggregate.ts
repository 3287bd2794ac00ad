/** The catalogue of products as an aggregate of the engine. There is one. */
import { decideCatalogue, evolveCatalogue, NEW_CATALOGUE, type Catalogue, type CatalogueCommand, type CatalogueEvent } from '@sluice/domain/businessday';
import { commandMessage, type AggregateDefinition, type Decision } from '@sluice/engine';
import { businessDayEvents, businessdaypb } from '@sluice/protocol/businessday';
import { CATALOGUE, CATALOGUE_KEY } from './business-day-names';
import { catalogueRecord } from './business-day-records';
import { productFromProto, productOfRequest, productToProto } from './products-on-the-wire';

const key = (): string => CATALOGUE_KEY;
const ofCatalogue = { keyField: 'catalogue', key } as const;

const createProductMessage = commandMessage<businessdaypb.CreateProductRequest, CatalogueCommand>({
  ...ofCatalogue,
  messageName: 'sluice.businessday.v1.CreateProductRequest',
  codec: businessdaypb.CreateProductRequest,
  requestId: ({ requestId }) => requestId,
  command: ({ product }) => ({ kind: 'createProduct', product: productOfRequest(product) }),
});

const updateProductMessage = commandMessage<businessdaypb.UpdateProductRequest, CatalogueCommand>({
  ...ofCatalogue,
  messageName: 'sluice.businessday.v1.UpdateProductRequest',
  codec: businessdaypb.UpdateProductRequest,
  requestId: ({ requestId }) => requestId,
  command: ({ product }) => ({ kind: 'updateProduct', product: productOfRequest(product) }),
});

const takeTermsMessage = commandMessage<businessdaypb.TakeTerms, CatalogueCommand>({
  ...ofCatalogue,
  messageName: 'sluice.businessday.v1.TakeTerms',
  codec: businessdaypb.TakeTerms,
  /** The engine knows it. */
  requestId: () => '',
  command: () => ({ kind: 'takeTerms' }),
});

export const catalogueAggregate: AggregateDefinition<Catalogue, CatalogueCommand, CatalogueEvent> = {
  ...CATALOGUE,
  record: catalogueRecord,
  events: {
    write: ({ product }) => businessDayEvents.record('ProductSet', { product: productToProto(product) }),
    read: (event, place) => {
      const set = businessDayEvents.readOnly('ProductSet', event, place);
      if (set === undefined) throw new Error(`the catalogue has an event ${event.type}`);
      return { kind: 'productSet', product: productFromProto(set.product) };
    },
  },
  commands: { CreateProduct: createProductMessage, UpdateProduct: updateProductMessage, TakeTerms: takeTermsMessage },
  initialState: () => NEW_CATALOGUE,
  decide: (catalogue, command): Decision<CatalogueEvent> => {
    const decision = decideCatalogue(catalogue, command);
    // Recorded, it would fill the memory: every caller may name products that there are not.
    if (!decision.accepted) return { accepted: false, reason: decision.rejection, recorded: decision.rejection === 'PRODUCT_EXISTS' };
    const { events } = decision;
    const [set] = events;
    return { accepted: true, events, reply: set === undefined ? allTerms(catalogue) : answerWith(set) };
  },
  evolve: evolveCatalogue,
};

/** The responses of both methods are the same but for their names. */
function answerWith({ product }: CatalogueEvent): Uint8Array {
  return businessdaypb.CreateProductResponse.encode({ product: productToProto(product), repeated: false, positionToken: '' }).finish();
}

function allTerms({ products }: Catalogue): Uint8Array {
  return businessdaypb.CatalogueTerms.encode({ products: [...products.values()].map(productToProto) }).finish();
}
