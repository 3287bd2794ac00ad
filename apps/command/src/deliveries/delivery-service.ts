/** Deliveries to and from the partitions that this instance serves, for the other instances and for the scheduler. */
import {
  DeliveryFailedError,
  type Engine,
  MisdirectedBatchError,
  type PartitionDeliveries,
  QueueFullError,
  type TimerPosition,
  type UnfinishedPlace,
} from '@sluice/engine';
import { logpb, MalformedMessageError } from '@sluice/protocol';
import { refusal, type ServiceRegistration, type SluiceError, unary } from '@sluice/service';
import { notOwner } from '../peers/not-owner';
import { BEFORE_ALL_TASKS, type ChangeTasks } from './change-tasks';

const DEFAULT_PAGE = 100;
const MAXIMUM_PAGE = 1_000;
const MAXIMUM_REDRIVEN = 1_000;
const NO_DELIVERIES = { deliveries: [], next: undefined };

export function deliveryRegistration(engine: Pick<Engine, 'partition'>, changeTasks: Pick<ChangeTasks, 'list'>): ServiceRegistration {
  const service = new DeliveryService(engine, changeTasks);
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
  constructor(
    private readonly engine: Pick<Engine, 'partition'>,
    private readonly changeTasks: Pick<ChangeTasks, 'list'>,
  ) {}

  async deliver({ partition, batch }: logpb.DeliverRequest): Promise<logpb.DeliverResponse> {
    return this.refusing(partition, async (deliveries) => ({ answer: Buffer.from(await deliveries.deliver(batch)) }));
  }

  async listUnfinished({ partition, pageSize, pageToken, deadOnly }: logpb.ListUnfinishedRequest): Promise<logpb.ListUnfinishedResponse> {
    if (pageSize < 0 || pageSize > MAXIMUM_PAGE) throw refusal('INVALID_REQUEST', `page_size must be 0 to ${MAXIMUM_PAGE}`, { field: 'page_size' });
    const from = decodePlace(pageToken);
    const limit = pageSize === 0 ? DEFAULT_PAGE : pageSize;
    return this.refusing(partition, async (deliveries) => {
      const counts = { unfinished: BigInt(deliveries.counts.unfinished), dead: BigInt(deliveries.counts.dead) };
      const page = from.kind === 'tasks' ? NO_DELIVERIES : await deliveries.list({ pageSize: limit, deadOnly, from: from.place });
      if (page.next !== undefined) return { ...counts, deliveries: [...page.deliveries], nextPageToken: encodePlace(page.next) };
      const after = from.kind === 'tasks' ? from.after : BEFORE_ALL_TASKS;
      const { tasks, next } = await this.changeTasks.list(partition, { after, limit: limit - page.deliveries.length, parkedOnly: deadOnly });
      return { ...counts, deliveries: [...page.deliveries, ...tasks], nextPageToken: encodeTask(next) };
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

/**
 * A page token: base64url(target ‖ "." ‖ number) of the first delivery of the page; behind the deliveries
 * base64url("t" ‖ due time ‖ "." ‖ number) of the change task behind which the page begins.
 */
function encodePlace(place: UnfinishedPlace | undefined): string {
  return place === undefined ? '' : Buffer.from(`${place.target}.${place.number}`).toString('base64url');
}

function encodeTask(place: TimerPosition | undefined): string {
  return place === undefined ? '' : Buffer.from(`t${place.dueAtUs}.${place.number}`).toString('base64url');
}

type PagePlace = { readonly kind: 'deliveries'; readonly place: UnfinishedPlace | undefined } | { readonly kind: 'tasks'; readonly after: TimerPosition };

function decodePlace(token: string): PagePlace {
  if (token === '') return { kind: 'deliveries', place: undefined };
  const [, isTask, first, second] = /^(t?)(\d{1,16})\.(\d{1,15})$/.exec(Buffer.from(token, 'base64url').toString()) ?? [];
  if (first === undefined || second === undefined) throw refusal('PAGE_TOKEN_INVALID');
  if (isTask === 't') return { kind: 'tasks', after: { dueAtUs: Number(first), number: Number(second) } };
  return { kind: 'deliveries', place: { target: Number(first), number: Number(second) } };
}
