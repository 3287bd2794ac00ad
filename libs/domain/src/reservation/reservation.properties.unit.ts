/** Whatever order reservations, associate requests and the deliveries between their aggregates come in, the states are the same, and no place is lost. */
import fc from 'fast-check';
import { AccountOfWorld, ReservationWorld, sumOf } from '../test/reservation-world';
import type { MoneyState } from './reservation-money';
import type { ReservationState } from './reservation-state';

const choicesArbitrary = fc.array(fc.nat(), { minLength: 1, maxLength: 60 });
/** Numbers of both identities; the first two of each take a place. */
const NUMBERS = { a: ['a1', 'a2', 'a3', 'a4'], b: ['b1', 'b2', 'b3'] } as const;
type IdentityId = keyof typeof NUMBERS;

type Request =
  | { readonly kind: 'reserve'; readonly identityId: IdentityId; readonly number: string }
  | { readonly kind: 'associate'; readonly identityId: IdentityId; readonly id: string; readonly number: string };

const requestArbitrary: fc.Arbitrary<Request> = fc.constantFrom<IdentityId>('a', 'b').chain((identityId) =>
  fc.oneof(
    fc.record({ kind: fc.constant('reserve' as const), identityId: fc.constant(identityId), number: fc.constantFrom(...NUMBERS[identityId]) }),
    fc.record({
      kind: fc.constant('associate' as const),
      identityId: fc.constant(identityId),
      id: fc.uuid(),
      number: fc.oneof(fc.constant(''), fc.constantFrom(...NUMBERS.a, ...NUMBERS.b)),
    }),
  ),
);

const takesPlace = (number: string): boolean => number.endsWith('1') || number.endsWith('2');

interface Step {
  readonly request: Request;
  /** Deliveries that arrive behind the request. */
  readonly arrivals: number;
}

function run(steps: readonly Step[], choices: readonly number[]): ReservationWorld {
  const world = new ReservationWorld();
  world.setCapacity('hall', 10);
  let chosen = 0;
  for (const { request, arrivals } of steps) {
    const { kind, identityId, number } = request;
    if (kind === 'reserve') world.reserve(identityId, number, takesPlace(number) ? { resourceId: 'hall' } : {});
    else world.associate(identityId, request.id, number);
    for (let at = 0; at < arrivals; at += 1) world.arrive(choices[(chosen += 1) % choices.length] as number);
  }
  world.settle(choices);
  return world;
}

const stateOf = (world: ReservationWorld, number: string): string => world.reservations.get(number)?.state ?? 'NONE';

const stepsArbitrary = fc.array(fc.record({ request: requestArbitrary, arrivals: fc.nat({ max: 6 }) }), { maxLength: 24 });

test('each order of reservations and associate requests leaves the same number of associated ones, and those that were named', () => {
  fc.assert(
    fc.property(stepsArbitrary, choicesArbitrary, (steps, choices) => {
      const world = run(steps, choices);
      const requests = steps.map(({ request }) => request);
      for (const identityId of ['a', 'b'] as const) {
        const own = requests.filter((request) => request.identityId === identityId);
        const reserved = new Set(own.filter(({ kind }) => kind === 'reserve').map(({ number }) => number));
        const associates = own.filter(({ kind }) => kind === 'associate');
        const named = new Set(associates.map(({ number }) => number).filter((number) => reserved.has(number)));
        const unnamed = associates.filter(({ number }) => number === '').length;
        for (const number of named) expect([number, stateOf(world, number)]).toEqual([number, 'ASSOCIATED']);
        const rest = [...reserved].filter((number) => !named.has(number));
        const states = rest.map((number) => stateOf(world, number));
        expect(states.filter((state) => state === 'ASSOCIATED')).toHaveLength(Math.min(unnamed, rest.length));
        expect(states.every((state) => state === 'ASSOCIATED' || state === 'RESERVED')).toBe(true);
        // A request is parked, or over: none is lost on the way.
        for (const { sentTo } of world.identities.get(identityId)?.associates.values() ?? []) expect(sentTo).toBe('');
      }
      expect(world.refusals).toEqual([]);
    }),
    { numRuns: 500 },
  );
});

test('requests without a number take the first numbers in order of reservation, however deliveries come', () => {
  fc.assert(
    fc.property(
      fc.nat({ max: 4 }),
      fc.array(fc.nat({ max: 5 }), { minLength: 8, maxLength: 8 }),
      fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }),
      choicesArbitrary,
      (requests, arrivals, turns, choices) => {
        const reserves: Request[] = NUMBERS.a.map((number) => ({ kind: 'reserve', identityId: 'a', number }));
        const associates: Request[] = Array.from({ length: requests }, (_, at) => ({ kind: 'associate', identityId: 'a', id: `s${at}`, number: '' }));
        const steps: Step[] = [];
        while (reserves.length + associates.length > 0) {
          const turn = turns[steps.length] === true ? [reserves, associates] : [associates, reserves];
          const request = (turn.find((queue) => queue.length > 0) as Request[]).shift() as Request;
          steps.push({ request, arrivals: arrivals[steps.length] as number });
        }
        const world = run(steps, choices);
        expect(NUMBERS.a.map((number) => stateOf(world, number))).toEqual(NUMBERS.a.map((_, at) => (at < requests ? 'ASSOCIATED' : 'RESERVED')));
      },
    ),
    { numRuns: 500 },
  );
});

test('a number that two identities reserve is the one that comes first to it; the other one is refused, and so are associate requests of it', () => {
  fc.assert(
    fc.property(choicesArbitrary, (choices) => {
      const world = new ReservationWorld();
      for (const identityId of ['a', 'b']) {
        world.reserve(identityId, 'n');
        world.associate(identityId, `s${identityId}`, 'n');
      }
      world.settle(choices);
      const owner = world.reservations.get('n')?.identityId;
      expect(stateOf(world, 'n')).toBe('ASSOCIATED');
      const other = world.identities.get(owner === 'a' ? 'b' : 'a');
      expect(other?.endedNumbers.get('n')).toMatchObject({ state: 'REJECTED', reason: 'RESERVATION_NUMBER_TAKEN' });
      expect([...(other?.endedAssociates.values() ?? [])]).toMatchObject([{ state: 'REJECTED', reason: 'IDENTITY_MISMATCH' }]);
    }),
  );
});

const hallArbitrary = fc.array(
  fc.record({
    kind: fc.constantFrom('reserve', 'reserve', 'reserve', 'associate', 'cancel', 'expire', 'capacity'),
    at: fc.nat({ max: 11 }),
    places: fc.integer({ min: 1, max: 3 }),
    waitForPlace: fc.boolean(),
    capacity: fc.integer({ min: 1, max: 8 }),
    arrivals: fc.nat({ max: 5 }),
  }),
  { maxLength: 50 },
);

test('no more places are taken than there are, and each is given back once', () => {
  fc.assert(
    fc.property(hallArbitrary, choicesArbitrary, (steps, choices) => {
      const world = new ReservationWorld();
      world.setCapacity('hall', 4);
      let chosen = 0;
      for (const { kind, at, places, waitForPlace, capacity, arrivals } of steps) {
        const number = `n${at}`;
        if (kind === 'reserve') world.reserve(`i${at % 4}`, number, { resourceId: 'hall', places, waitForPlace, expiresAtUs: 2_000 });
        else if (kind === 'associate') world.associate(`i${at % 4}`, `s${chosen}`, number);
        else if (kind === 'cancel') world.cancel(number);
        else if (kind === 'capacity') world.setCapacity('hall', capacity);
        else {
          world.atUs = 2_000;
          world.expire(number);
          world.atUs = 1_000;
        }
        chosen += 1;
        // The resource itself throws where more would be taken than there is.
        for (let arrived = 0; arrived < arrivals; arrived += 1) world.arrive(choices[(chosen + arrived) % choices.length] as number);
      }
      world.settle(choices);
      const hall = world.resources.get('hall');
      const having = (place: string) => [...world.reservations.values()].filter((reservation) => reservation.place === place);
      expect(hall?.taken).toBe(having('HELD').reduce((sum, { places }) => sum + places, 0));
      expect(new Set(hall?.waiting.keys())).toEqual(new Set(having('WAITING').map(({ number }) => number)));
      const first = [...(hall?.waiting.values() ?? [])].find((places) => places <= (hall?.capacity ?? 0));
      expect(first === undefined || (hall?.taken ?? 0) + first > (hall?.capacity ?? 0)).toBe(true);
      expect(having('HELD').every(({ state }) => state === 'RESERVED' || state === 'ASSOCIATED')).toBe(true);
      expect(having('WAITING').every(({ state }) => state === 'PENDING')).toBe(true);
      expect([...world.reservations.values()].filter(({ state, place }) => state === 'PENDING' && place !== 'WAITING')).toEqual([]);
    }),
    { numRuns: 500 },
  );
});

const pricedArbitrary = fc.array(
  fc.record({
    kind: fc.constantFrom('reserve', 'reserve', 'reserve', 'associate', 'associate', 'complete', 'complete', 'cancel', 'expire', 'capacity'),
    at: fc.nat({ max: 9 }),
    accountId: fc.constantFrom('rich', 'poor', 'nobody'),
    payeeAccountId: fc.constantFrom('hotel', 'closed', 'gone'),
    amountMinor: fc.bigInt({ min: 1n, max: 40n }),
    wantsPlaces: fc.boolean(),
    waitForPlace: fc.boolean(),
    capacity: fc.integer({ min: 1, max: 5 }),
    arrivals: fc.nat({ max: 6 }),
  }),
  { maxLength: 60 },
);

/** Where the money of a reservation may stand when everything has arrived. */
const MONEY_AT_REST: Readonly<Record<ReservationState, readonly MoneyState[]>> = {
  NONE: ['NONE'],
  // It waits for its places.
  PENDING: ['HELD'],
  RESERVED: ['HELD'],
  ASSOCIATED: ['HELD'],
  COMPLETED: ['PAID', 'RETURNED'],
  // The account refused it, before or after the resource did, or was told to release it. What is over may still stand as asked: the account refused.
  REJECTED: ['NONE', 'ASKED', 'RELEASED'],
  CANCELLED: ['ASKED', 'RELEASED'],
  EXPIRED: ['ASKED', 'RELEASED'],
};

test('money is held while a reservation stands, and is released or paid once, in whatever order accounts and resources answer', () => {
  fc.assert(
    fc.property(pricedArbitrary, choicesArbitrary, (steps, choices) => {
      const world = new ReservationWorld();
      world.setCapacity('hall', 3);
      for (const [accountId, account] of Object.entries({
        ...{ rich: new AccountOfWorld(1_000n), poor: new AccountOfWorld(50n) },
        ...{ hotel: new AccountOfWorld(0n), closed: new AccountOfWorld(0n, false) },
      }))
        world.accounts.set(accountId, account);
      let chosen = 0;
      for (const { kind, at, accountId, payeeAccountId, amountMinor, wantsPlaces, waitForPlace, capacity, arrivals } of steps) {
        const number = `n${at}`;
        const money = { accountId, payeeAccountId, amountMinor, unit: 'EUR' };
        if (kind === 'reserve') world.reserve(`i${at % 4}`, number, { resourceId: wantsPlaces ? 'hall' : '', waitForPlace, expiresAtUs: 2_000, money });
        else if (kind === 'associate') world.associate(`i${at % 4}`, `s${chosen}`, number);
        else if (kind === 'complete') world.complete(number);
        else if (kind === 'cancel') world.cancel(number);
        else if (kind === 'capacity') world.setCapacity('hall', capacity);
        else {
          world.atUs = 2_000;
          world.expire(number);
          world.atUs = 1_000;
        }
        chosen += 1;
        // An account throws for what ends twice, or did not begin.
        for (let arrived = 0; arrived < arrivals; arrived += 1) world.arrive(choices[(chosen + arrived) % choices.length] as number);
      }
      world.settle(choices);
      const reservations = [...world.reservations.values()];
      for (const { number, state, money, moneyState } of reservations)
        if (money !== undefined)
          expect([number, state, MONEY_AT_REST[state].includes(moneyState) ? 'as it may be' : moneyState]).toEqual([number, state, 'as it may be']);
      const amountOf = (is: (reservation: (typeof reservations)[number]) => boolean): bigint =>
        reservations.filter(is).reduce((sum, { money }) => sum + (money?.amountMinor ?? 0n), 0n);
      for (const accountId of ['rich', 'poor']) {
        const account = world.accounts.get(accountId) as AccountOfWorld;
        const ofAccount = (moneyState: MoneyState) =>
          amountOf((reservation) => reservation.money?.accountId === accountId && reservation.moneyState === moneyState);
        expect(sumOf(account.held)).toBe(ofAccount('HELD'));
        expect(account.inTransit.size).toBe(0);
        expect(account.balanceMinor).toBe((accountId === 'rich' ? 1_000n : 50n) - ofAccount('PAID'));
      }
      expect(world.accounts.get('hotel')?.balanceMinor).toBe(amountOf(({ moneyState }) => moneyState === 'PAID'));
      const hall = world.resources.get('hall');
      const places = reservations.filter(({ place }) => place === 'HELD');
      expect(hall?.taken).toBe(places.length);
      expect(places.every(({ state }) => state === 'RESERVED' || state === 'ASSOCIATED' || state === 'COMPLETED')).toBe(true);
      expect(reservations.filter(({ state, place }) => state === 'PENDING' && place !== 'WAITING')).toEqual([]);
    }),
    { numRuns: 500 },
  );
});

test('a thousand reservations of a hundred places leave a hundred', () => {
  const world = new ReservationWorld();
  world.setCapacity('hall', 100);
  for (let at = 0; at < 1_000; at += 1) world.reserve(`i${at % 7}`, `n${at}`, { resourceId: 'hall' });
  world.settle([3, 1, 4, 1, 5, 9, 2, 6]);
  const states = [...world.reservations.values()].map(({ state }) => state);
  expect(states.filter((state) => state === 'RESERVED')).toHaveLength(100);
  expect(states.filter((state) => state === 'REJECTED')).toHaveLength(900);
});

test('a number that wants more than a capacity that was lowered holds up none behind it, and is the first again when that is raised', () => {
  const world = new ReservationWorld();
  const steps: readonly [says: string, step: () => void][] = [
    ['n1 RESERVED', () => world.reserve('i1', 'n1', { resourceId: 'hall', places: 4 })],
    ['n2 PENDING', () => world.reserve('i2', 'n2', { resourceId: 'hall', places: 8, waitForPlace: true })],
    ['n3 PENDING', () => world.reserve('i3', 'n3', { resourceId: 'hall', places: 2, waitForPlace: true })],
    ['n3 PENDING', () => world.setCapacity('hall', 5)],
    ['n3 RESERVED', () => world.cancel('n1')],
    ['n4 RESERVED', () => world.reserve('i4', 'n4', { resourceId: 'hall', places: 3 })],
    ['n2 PENDING', () => world.setCapacity('hall', 12)],
    ['n5 REJECTED', () => world.reserve('i5', 'n5', { resourceId: 'hall', places: 1 })],
    ['n2 RESERVED', () => world.cancel('n4')],
  ];
  world.setCapacity('hall', 10);
  for (const [says, step] of steps) {
    step();
    world.settle([0]);
    const [number = ''] = says.split(' ');
    expect(`${number} ${world.reservations.get(number)?.state}`).toBe(says);
  }
});
