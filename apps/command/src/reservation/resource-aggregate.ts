/** The resource as an aggregate of the engine: its places and its waiting list. */
import {
  decideResource,
  evolveResource,
  newResource,
  type Resource,
  type ResourceAcceptance,
  type ResourceCommand,
  type ResourceEvent,
} from '@sluice/domain/reservation';
import type { AggregateDefinition, Decision, Owed, TimerChange } from '@sluice/engine';
import { reservationpb } from '@sluice/protocol/reservation';
import { RESOURCE } from './reservation-names';
import { resourceRecord } from './reservation-records';
import { resourceEventCodec } from './resource-event-codec';
import { givePlacesBackMessage, grantPlacesMessage, setCapacityMessage, takePlacesMessage } from './resource-messages';

/** Set again it is replaced: one is enough. */
const GRANT_TIMER = 'grant';

/** @param counted told of what happened to a resource, when it is durable; undefined: nobody is. It must not throw. */
export const resourceAggregate = (counted?: (events: readonly ResourceEvent[]) => void): AggregateDefinition<Resource, ResourceCommand, ResourceEvent> => ({
  ...RESOURCE,
  record: resourceRecord,
  events: resourceEventCodec,
  commands: {
    SetCapacity: setCapacityMessage,
    TakePlaces: takePlacesMessage,
    GivePlacesBack: givePlacesBackMessage,
    GrantPlaces: grantPlacesMessage,
  },
  initialState: newResource,
  decide: (resource, command, { committedAtUs }): Decision<ResourceEvent> => {
    const decision = decideResource(resource, command);
    if (!decision.accepted) return { accepted: false, reason: decision.rejection, recorded: decision.recorded };
    const { events, granted, goOn } = decision;
    const reply = replyOf(command, decision);
    const { resourceId } = resource;
    const payload = reservationpb.GrantPlaces.encode({ resourceId }).finish();
    const timers: TimerChange[] = goOn ? [{ kind: 'set', timerId: GRANT_TIMER, dueAtUs: committedAtUs, method: 'GrantPlaces', payload }] : [];
    const consequences = { events, owes: granted.map(owedTo), timers, ...(counted && { handOut: () => counted(events) }) };
    return { accepted: true, ...consequences, ...(reply === undefined ? undefined : { reply }) };
  },
  evolve: evolveResource,
  total: ({ waiting }) => waiting.size,
});

function owedTo(number: string): Owed {
  const payload = reservationpb.PlacesComeFree.encode({ number }).finish();
  return { capability: RESOURCE.capability, method: 'PlacesComeFree', key: number, wholeKey: true, payload };
}

function replyOf({ kind }: ResourceCommand, { events, taken, waitingCount }: ResourceAcceptance): Uint8Array | undefined {
  switch (kind) {
    case 'setCapacity':
      return reservationpb.SetCapacityResponse.encode({ taken: BigInt(taken), waiting: waitingCount, repeated: false, positionToken: '' }).finish();
    case 'takePlaces':
      return reservationpb.PlacesAnswer.encode({ waiting: events.some((event) => event.kind === 'placesQueued') }).finish();
    case 'givePlacesBack':
    case 'grantPlaces':
      return undefined;
    default:
      return kind satisfies never;
  }
}
