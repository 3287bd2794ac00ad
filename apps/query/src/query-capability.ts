/** What a capability gives to the query service: its services, over what all of them share. */
import type { Clock, ReadStore } from '@sluice/ports';
import type { Projection } from '@sluice/projections';
import type { ServiceRegistration, ServiceRuntime } from '@sluice/service';
import type { Logger } from '@sluice/telemetry';
import type { Freshness } from './freshness';
import type { StandingFeed } from './standing';

export interface QueryContext {
  readonly store: ReadStore;
  readonly feed: StandingFeed;
  /** Of the rows of the capability's projection. */
  readonly freshness: Freshness;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface QueryCapability {
  /** "account". */
  readonly name: string;
  /** The one whose rows it reads. */
  readonly projection: Pick<Projection, 'name' | 'format'>;
  /** The services that it has; known before anything is opened. */
  readonly definitions: readonly ServiceRegistration['definition'][];
  /** What the services run on is stopped with the query service. */
  start(context: QueryContext): ServiceRuntime;
}
