/**
 * Pending timers of all partitions for people: partition by partition, asked of the instances that serve them. Parked ones are tried again on request.
 *
 *   page token   base64url(partition ‖ "." ‖ due time ‖ "." ‖ number) of the last timer of the page
 */
import type { MethodDefinition } from '@grpc/grpc-js';
import { logpb, type schedulerpb, timestampFromUs, usFromTimestamp } from '@sluice/protocol';
import { refusal } from '@sluice/service';
import type { DueWatch, WatchedPartition } from './due-watch';

const DEFAULT_PAGE = 100;
const MAXIMUM_PAGE = 1_000;
const ANSWER_LIMIT_MS = 10_000;

interface Position {
  readonly partition: number;
  readonly dueAtUs: bigint;
  readonly number: bigint;
}

export async function listTimers(watch: DueWatch, request: schedulerpb.ListTimersRequest): Promise<schedulerpb.ListTimersResponse> {
  const { pageSize, pageToken, partition } = request;
  if (pageSize < 0 || pageSize > MAXIMUM_PAGE) throw refusal('INVALID_REQUEST', `page_size must be 0 to ${MAXIMUM_PAGE}`, { field: 'page_size' });
  const limit = pageSize === 0 ? DEFAULT_PAGE : pageSize;
  const after = decodePosition(pageToken);
  const timers: schedulerpb.Timer[] = [];
  for (const served of partitionsOf(watch, partition)) {
    if (after !== undefined && served.partition < after.partition) continue;
    const page = await pageOf(served, request, after, limit - timers.length);
    timers.push(...page.map((listed) => shown(served.partition, listed)));
    const last = page.at(-1);
    if (timers.length < limit || last?.timer === undefined) continue;
    return { timers, nextPageToken: encodePosition({ partition: served.partition, dueAtUs: last.timer.dueAtUs, number: last.number }) };
  }
  return { timers, nextPageToken: '' };
}

/** Refuses with PARTITION_UNAVAILABLE; what was redriven before stays so. */
export async function redriveTimers(watch: DueWatch, { partition, ...filter }: schedulerpb.RedriveTimersRequest): Promise<schedulerpb.RedriveTimersResponse> {
  let redriven = 0;
  for (const served of partitionsOf(watch, partition)) {
    const request: logpb.RedriveParkedRequest = { ...filter, partition: served.partition };
    redriven += (await ask(served, logpb.TimerServiceService.redriveParked, request)).redriven;
  }
  return { redriven };
}

function partitionsOf(watch: DueWatch, only: number | undefined): WatchedPartition[] {
  if (only === undefined) {
    const newest = new Map<number, WatchedPartition>();
    for (const served of watch.partitions()) newest.set(served.partition, served);
    return [...newest.values()].sort((left, right) => left.partition - right.partition);
  }
  const served = watch.partition(only);
  if (served === undefined) throw refusal('PARTITION_UNAVAILABLE', `no command instance serves partition ${only} now`);
  return [served];
}

async function pageOf(
  served: WatchedPartition,
  { capability, key, dueUntil }: schedulerpb.ListTimersRequest,
  after: Position | undefined,
  limit: number,
): Promise<readonly logpb.NumberedTimer[]> {
  const { partition } = served;
  const behind = after?.partition === partition ? after : undefined;
  const request: logpb.ListPendingRequest = {
    partition,
    capability,
    key,
    dueUntilUs: dueUntil === undefined ? 0n : usFromTimestamp(dueUntil),
    afterDueUs: behind?.dueAtUs ?? 0n,
    afterNumber: behind?.number ?? 0n,
    limit,
  };
  return (await ask(served, logpb.TimerServiceService.listPending, request)).timers;
}

async function ask<Request, Response>(
  { instance, partition }: WatchedPartition,
  method: MethodDefinition<Request, Response>,
  request: Request,
): Promise<Response> {
  try {
    return await instance.calls.unary(method, request, partition, Date.now() + ANSWER_LIMIT_MS);
  } catch (error) {
    throw refusal('PARTITION_UNAVAILABLE', `the owner of partition ${partition} does not answer: ${(error as Error).message}`);
  }
}

function shown(partition: number, { timer, parked }: logpb.NumberedTimer): schedulerpb.Timer {
  const { capability = '', key = '', timerId = '', method = '', dueAtUs = 0n } = timer ?? {};
  return { partition, capability, key, timerId, method, dueAt: timestampFromUs(Number(dueAtUs)), parked };
}

function encodePosition({ partition, dueAtUs, number }: Position): string {
  return Buffer.from(`${partition}.${dueAtUs}.${number}`).toString('base64url');
}

function decodePosition(token: string): Position | undefined {
  if (token === '') return undefined;
  const [, partition, dueAtUs, number] = /^(\d{1,10})\.(\d{1,19})\.(\d{1,19})$/.exec(Buffer.from(token, 'base64url').toString()) ?? [];
  if (partition === undefined || dueAtUs === undefined || number === undefined) throw refusal('PAGE_TOKEN_INVALID');
  return { partition: Number(partition), dueAtUs: BigInt(dueAtUs), number: BigInt(number) };
}
