/** The log of a rush is judged by its order alone. */
import type { EventView } from '@sluice/client';
import { seatsInLog } from './seats-in-log';

/** "T a 1": of the resource, number a, one seat is taken after it. */
function eventsOf(text: string): EventView[] {
  const types = { T: 'PlacesTaken', Q: 'PlacesQueued', G: 'PlacesGranted', R: 'PlacesReturned', W: 'PlacesReturned' } as const;
  return text.split(', ').map((part) => {
    const [kind = 'T', number, taken] = part.split(' ');
    const event = { resourceId: 'hall', number, places: 1, waited: kind === 'W', taken };
    return { type: `reservation.${types[kind as 'T']}`, version: 1, event };
  });
}

test.each`
  what                                      | events                                    | seen
  ${'seats are taken'}                      | ${'T a 1, T b 2'}                         | ${{ mostTaken: 2, taken: 2, contradictions: [] }}
  ${'what comes free goes to the first'}    | ${'T a 1, Q b, Q c, R a 0, G b 1'}        | ${{ mostTaken: 1, taken: 1, returned: 1, granted: ['b'], waiting: ['c'], contradictions: [] }}
  ${'one that waits leaves'}                | ${'T a 1, Q b, Q c, W b 1, R a 0, G c 1'} | ${{ granted: ['c'], waiting: [], contradictions: [] }}
  ${'a seat goes to another one'}           | ${'T a 1, Q b, Q c, R a 0, G c 1'}        | ${{ contradictions: ['c got a seat before b'] }}
  ${'a seat goes to one that never waited'} | ${'T a 1, R a 0, G c 1'}                  | ${{ contradictions: ['c got a seat before it waited'] }}
  ${'a seat is taken past those that wait'} | ${'T a 1, Q b, R a 0, T c 1'}             | ${{ contradictions: ['c got a seat past 1 that waited'] }}
  ${'a count is wrong'}                     | ${'T a 1, T b 1'}                         | ${{ contradictions: ['1 seats are taken after reservation.PlacesTaken of b, by the events before 2'] }}
`('$what', ({ events, seen }: { events: string; seen: object }) => {
  const others: EventView[] = [
    { type: 'reservation.PlacesTaken', version: 1, event: { resourceId: 'other', number: 'x', places: 5, taken: '5' } },
    { type: 'reservation.CapacitySet', version: 1, event: { resourceId: 'hall', capacity: '1' } },
    { type: 'reservation.Unknown', version: 9, event: undefined },
  ];
  expect(seatsInLog([...others, ...eventsOf(events)], 'hall')).toMatchObject(seen);
});
