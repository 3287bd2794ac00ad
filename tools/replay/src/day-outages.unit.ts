import { DayOutages, KNOWN_STEPS, stepOfOutage } from './day-outages';

test.each`
  days   | each
  ${365} | ${3}
  ${12}  | ${3}
  ${8}   | ${2}
`('of $days days each step has $each outages', ({ days, each }: { days: number; each: number }) => {
  const steps = Array.from({ length: days }, (_, at) => stepOfOutage(at, days)).flatMap((step) => step ?? []);
  for (const step of KNOWN_STEPS) expect(steps.filter((one) => one === step)).toHaveLength(each);
});

test('a service is killed once at the step of a day, and is there again', async () => {
  const told: string[] = [];
  const service = { kill: async () => void told.push('kill'), start: async () => void told.push('start') };
  const outages = new DayOutages(service, 4);
  outages.seen(0, '1993-01-01', 'ROLL');
  outages.seen(0, '1993-01-01', 'CUT');
  outages.seen(0, '1993-01-01', 'CUT');
  await outages.over();
  expect(told).toEqual(['kill', 'start']);
  expect(outages.kills).toEqual({ CUT: 1 });
});

test('a service that does not come back ends the replay', async () => {
  const outages = new DayOutages({ kill: async () => undefined, start: () => Promise.reject(new Error('gone')) }, 4);
  outages.seen(0, '1993-01-01', 'CUT');
  await expect(outages.over()).rejects.toThrow('gone');
  expect(() => outages.seen(1, '1993-01-02', 'ROLL')).toThrow('gone');
});
