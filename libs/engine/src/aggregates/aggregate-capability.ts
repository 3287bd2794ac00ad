/** An ordinary capability, made from what it says about its kinds of aggregates. */
import type { Capability, PartitionServices } from '../capability';
import type { HashSeeds } from '../request-index/request-hash';
import type { AggregateCommand, AnyAggregate, RequestBody } from './aggregate-definition';
import { AggregateState, type AggregateReader } from './aggregate-state';
import { PLAIN_BLOCKS_VERSION, BLOCKS_WITH_TOTALS_VERSION } from './aggregates-snapshot';
import { aggregateRequest, type AggregateRequest } from './aggregate-submission';

export interface AggregateCapabilityOptions {
  readonly aggregates: readonly AnyAggregate[];
  /** What siblings in the partition may read: an interface of the capability's domain. */
  readonly view?: (states: AggregateReader) => unknown;
  /** Called for faults that cost a caller an answer and nothing else. */
  readonly trouble?: (partition: number, what: string, error: unknown) => void;
}

export interface AggregateCapability extends Capability {
  createState(partition: PartitionServices): AggregateState;
  /** Reads a caller's request of the method. Throws what the method's message throws. */
  read(method: string, bytes: Uint8Array): RequestBody<unknown>;
  /** A caller's request on its way to its partition. */
  request(method: string, body: RequestBody<unknown>, seeds: HashSeeds): AggregateRequest;
}

/** Throws for kinds of several capabilities, and for a kind or a method that is named twice. */
export function aggregateCapability({ aggregates, view, trouble = () => undefined }: AggregateCapabilityOptions): AggregateCapability {
  const capability = nameOf(aggregates);
  const methods = methodsOf(aggregates);
  const methodOf = (method: string) => {
    const found = methods.get(method);
    if (found === undefined) throw new Error(`${capability} has no method ${method}`);
    return found;
  };
  return {
    name: capability,
    // Records have versions of their own.
    snapshotVersion: aggregates.some((aggregate) => aggregate.total !== undefined) ? BLOCKS_WITH_TOTALS_VERSION : PLAIN_BLOCKS_VERSION,
    createState: (services) => new AggregateState(services, { capability, aggregates, trouble, ...(view === undefined ? undefined : { view }) }),
    read: (method, bytes) => methodOf(method).command.read(bytes),
    request: (method, body, seeds) => aggregateRequest(methodOf(method).definition, body, seeds),
  };
}

function nameOf(aggregates: readonly AnyAggregate[]): string {
  const [first] = aggregates;
  if (first === undefined) throw new Error('a capability without aggregates');
  for (const { capability, aggregate } of aggregates) {
    if (capability !== first.capability) throw new Error(`${aggregate} is of ${capability}, not of ${first.capability}`);
    if (aggregate.includes('/')) throw new Error(`the kind "${aggregate}" has a slash in its name`);
  }
  if (new Set(aggregates.map(({ aggregate }) => aggregate)).size < aggregates.length) throw new Error(`${first.capability} has a kind of aggregates twice`);
  return first.capability;
}

function methodsOf(aggregates: readonly AnyAggregate[]) {
  const methods = new Map<string, { readonly definition: AnyAggregate; readonly command: AggregateCommand<unknown> }>();
  for (const definition of aggregates) {
    for (const [method, command] of Object.entries(definition.commands)) {
      if (methods.has(method)) throw new Error(`${definition.capability} has the method ${method} twice`);
      methods.set(method, { definition, command });
    }
  }
  return methods;
}
