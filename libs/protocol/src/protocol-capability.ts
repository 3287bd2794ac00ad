/** What a capability gives to everyone who meets its events or its refusals. */
import type { EventCatalogue } from './events/event-table';
import type { ReasonDefinition } from './reason-definition';

export interface ProtocolCapability {
  /** "account". */
  readonly name: string;
  readonly events: EventCatalogue;
  /** The reasons that only this capability gives, by name. */
  readonly reasons: Readonly<Record<string, ReasonDefinition>>;
}
