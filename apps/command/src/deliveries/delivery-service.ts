/** Deliveries to and from the partitions that this instance serves, for the other instances and for the scheduler. */
import { DeliveryFailedError, type Engine, MisdirectedBatchError, type PartitionDeliveries, QueueFullError, type UnfinishedPlace } from '@sluice/engine';
import { logpb, MalformedMessageError } from '@sluice/protocol';
import { refusal, type ServiceRegistration, type SluiceError, unary } from '@sluice/service';
import { notOwner } from '../peers/not-owner';

const DEFAULT_PAGE = 100;
const MAXIMUM_PAGE = 1_000;
const MAXIMUM_REDRIVEN = 1_000;

export function deliveryRegistration(engine: Pick<Engine, 'partition'>): ServiceRegistration {
  const service = new DeliveryService(engine);
  return {
    name: 'sluice.log.v1.DeliveryService',
    definition: logpb.DeliveryServiceService,
    access: 'operate',
    implementation: {
      deliver: unary<logpb.DeliverRequest, logpb.DeliverResponse>((request) => service.deliver(request)),
      listUnfinished: unary<logpb.ListUnfinishedRequest, logpb.ListUnfinishedResponse>((request) => service.listUnfinished(request)),
      redrive: unary<logpb.RedriveRequest, logpb.RedriveResponse>((request) => service.redrive(request)),
      drive: unary<logpb.DriveRequest, logpb.DriveResponse>(async (request) => service.drive(request)),
    },
  };
}

class DeliveryService {
  constructor(private readonly engine: Pick<Engine, 'partition'>) {}

  async deliver({ partition, batch }: logpb.DeliverRequest): Promise<logpb.DeliverResponse> {
    return this.refusing(partition, async (deliveries) => ({ answer: Buffer.from(await deliveries.deliver(batch)) }));
  }

  async listUnfinished({ partition, pageSize, pageToken, deadOnly }: logpb.ListUnfinishedRequest): Promise<logpb.ListUnfinishedResponse> {
    if (pageSize < 0 || pageSize > MAXIMUM_PAGE) throw refusal('INVALID_REQUEST', `page_size must be 0 to ${MAXIMUM_PAGE}`, { field: 'page_size' });
    const from = decodePlace(pageToken);
    return this.refusing(partition, async (deliveries) => {
      const { unfinished, dead } = deliveries.counts;
      const page = await deliveries.list({ pageSize: pageSize === 0 ? DEFAULT_PAGE : pageSize, deadOnly, from });
      return { deliveries: [...page.deliveries], nextPageToken: encodePlace(page.next), unfinished: BigInt(unfinished), dead: BigInt(dead) };
    });
  }

  async redrive({ partition, deliveryIds }: logpb.RedriveRequest): Promise<logpb.RedriveResponse> {
    if (deliveryIds.length > MAXIMUM_REDRIVEN)
      throw refusal('INVALID_REQUEST', `at most ${MAXIMUM_REDRIVEN} deliveries are redriven by one request`, { field: 'delivery_ids' });
    return this.refusing(partition, async (deliveries) => ({ redriven: await deliveries.redrive(deliveryIds) }));
  }

  async drive({ partition }: logpb.DriveRequest): Promise<logpb.DriveResponse> {
    return this.refusing(partition, async (deliveries) => {
      deliveries.drive();
      return { unfinished: BigInt(deliveries.counts.unfinished) };
    });
  }

  private async refusing<Response>(partition: number, run: (deliveries: PartitionDeliveries) => Promise<Response>): Promise<Response> {
    const served = this.engine.partition(partition);
    if (served === undefined) throw notOwner(partition);
    try {
      return await run(served.deliveries);
    } catch (error) {
      throw refusalOf(error, partition) ?? error;
    }
  }
}

/** Undefined: an unexpected fault. */
function refusalOf(error: unknown, partition: number): SluiceError | undefined {
  if (error instanceof QueueFullError) return refusal('QUEUE_FULL');
  if (error instanceof MisdirectedBatchError || error instanceof MalformedMessageError) return refusal('INVALID_REQUEST', error.message, { field: 'batch' });
  if (!(error instanceof DeliveryFailedError)) return undefined;
  const { failure } = error;
  switch (failure) {
    case 'NOT_OWNER':
      return notOwner(partition);
    case 'PARTITION_UNAVAILABLE':
    case 'SHUTTING_DOWN':
    case 'QUEUE_FULL':
      return refusal(failure);
    default:
      return failure satisfies never;
  }
}

/** A page token: base64url(target ‖ "." ‖ number) of the first delivery of the page. */
function encodePlace(place: UnfinishedPlace | undefined): string {
  return place === undefined ? '' : Buffer.from(`${place.target}.${place.number}`).toString('base64url');
}

function decodePlace(token: string): UnfinishedPlace | undefined {
  if (token === '') return undefined;
  const [, target, number] = /^(\d{1,10})\.(\d{1,15})$/.exec(Buffer.from(token, 'base64url').toString()) ?? [];
  if (target === undefined || number === undefined) throw refusal('PAGE_TOKEN_INVALID');
  return { target: Number(target), number: Number(number) };
}
