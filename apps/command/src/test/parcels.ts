/** A capability of one aggregate and JSON messages, for tests of methods: a parcel is weighed, and takes so much and no more. */
import type { MethodDefinition } from '@grpc/grpc-js';
import { aggregateCapability, commandMessage, type AggregateDefinition } from '@sluice/engine';
import { UnknownEventError } from '@sluice/protocol';
import { invalidRequest } from '@sluice/service';
import type { CommandCapability, CommandContext } from '../command-capability';
import { bulkCommandMethod, type BulkShape } from '../methods/bulk-command-method';
import { bulkStreamMethod, type StreamShape } from '../methods/bulk-stream-method';
import { commandMethod } from '../methods/command-method';
import { commandService } from '../methods/command-service';
import type { ItemError } from '../methods/verdict-errors';

export interface PackRequest {
  readonly requestId: string;
  readonly parcelId: string;
  readonly grams: number;
}

export interface PackResponse {
  grams: number;
  repeated: boolean;
  positionToken: string;
}

export interface PackResult {
  readonly grams?: number;
  readonly repeated?: boolean;
  readonly error?: ItemError;
}

interface PackAllRequest {
  readonly packs: readonly PackRequest[];
}

export interface PackAllResponse {
  readonly results: readonly PackResult[];
  readonly positionToken: string;
}

const json = <Message>() => ({
  to: (message: Message): Buffer => Buffer.from(JSON.stringify(message)),
  from: (bytes: Uint8Array): Message => JSON.parse(Buffer.from(bytes).toString()) as Message,
});

function definitionOf<Request, Response>(name: string): MethodDefinition<Request, Response> {
  const request = json<Request>();
  const response = json<Response>();
  return {
    path: `/parcel.ParcelCommandService/${name}`,
    requestStream: false,
    responseStream: false,
    requestSerialize: request.to,
    requestDeserialize: request.from,
    responseSerialize: response.to,
    responseDeserialize: response.from,
  };
}

export interface PackAnswer extends PackResult {
  readonly requestId: string;
  readonly positionToken: string;
}

export const PARCEL_METHODS = {
  pack: definitionOf<PackRequest, PackResponse>('Pack'),
  packAll: definitionOf<PackAllRequest, PackAllResponse>('PackAll'),
  packStream: { ...definitionOf<PackRequest, PackAnswer>('PackStream'), requestStream: true, responseStream: true },
};

/** As protobuf does, it takes the fields in their order, and drops those that it does not know. */
const known = ({ requestId, parcelId, grams }: PackRequest): PackRequest => ({ requestId, parcelId, grams });
const { to, from } = json<PackRequest>();
const encode = (request: PackRequest): Buffer => to(known(request));
const decode = (bytes: Uint8Array): PackRequest => known(from(bytes));

const packMessage = commandMessage<PackRequest, number>({
  messageName: 'parcel.PackRequest',
  codec: { encode: (request) => ({ finish: () => encode(request) }), decode },
  keyField: 'parcel_id',
  key: ({ parcelId }) => parcelId,
  requestId: ({ requestId }) => requestId,
  command: ({ grams }) => {
    if (grams <= 0) throw invalidRequest('grams', 'must be above 0');
    return grams;
  },
});

const parcels: AggregateDefinition<number, number, number> = {
  capability: 'parcel',
  aggregate: 'parcel',
  record: { version: 1, encode: (grams) => Buffer.from(String(grams)), decode: (bytes) => Number(Buffer.from(bytes).toString()) },
  events: {
    write: (grams) => ({ type: 'parcel.Packed', version: 1, payload: Buffer.from(String(grams)) }),
    read: ({ type, version, payload }, { partition, sequence }) => {
      if (type !== 'parcel.Packed') throw new UnknownEventError(partition, sequence, type, version);
      return Number(Buffer.from(payload).toString());
    },
  },
  commands: { Pack: packMessage },
  initialState: () => 0,
  // A reason that the registry has stands for one that the capability would declare.
  decide: (grams, more) =>
    grams + more > 1_000
      ? { accepted: false, reason: 'ACCOUNT_FROZEN', recorded: true, metadata: { grams: String(grams) } }
      : { accepted: true, events: [more], reply: Buffer.from(JSON.stringify({ grams: grams + more })) },
  evolve: (grams, more) => grams + more,
};

const capability = aggregateCapability({ aggregates: [parcels] });

const packAllShape: BulkShape<PackAllRequest, PackAllResponse, PackRequest, PackResult> = {
  field: 'packs',
  items: ({ packs }) => packs,
  withItems: (packs) => ({ packs }),
  body: (item) => packMessage.bodyOf(item),
  accepted: (reply, repeated): PackResult => ({ ...(JSON.parse(Buffer.from(reply).toString()) as PackResult), repeated }),
  refused: (error): PackResult => ({ error }),
  response: (results, positionToken) => ({ results, positionToken }),
  resultsOf: (response) => response,
};

const packStreamShape: StreamShape<PackRequest, PackAnswer, PackRequest, PackResult> = {
  field: 'pack',
  item: known,
  answer: ({ requestId }, result, positionToken) => ({ requestId, ...result, positionToken }),
};

export const parcelCapability: CommandCapability = {
  name: 'parcel',
  definitions: [PARCEL_METHODS],
  create: () => ({
    capability,
    services: (context: CommandContext) => [
      commandService('parcel.ParcelCommandService', PARCEL_METHODS, {
        pack: commandMethod(context, capability, 'Pack', PARCEL_METHODS.pack),
        packAll: bulkCommandMethod(context, capability, 'Pack', PARCEL_METHODS.packAll, packAllShape),
        packStream: bulkStreamMethod(
          context,
          capability,
          'Pack',
          { definition: PARCEL_METHODS.packAll, shape: packAllShape },
          PARCEL_METHODS.packStream,
          packStreamShape,
        ),
      }),
    ],
  }),
};
