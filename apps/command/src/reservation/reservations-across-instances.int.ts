/** Reservations with places and money among instances that share the partitions: identities, numbers, the resource, payers and the payee are of different owners. */
import { credentials } from '@grpc/grpc-js';
import { reservationpb } from '@sluice/protocol/reservation';
import { answered, look, type SharingInstance, SharingInstances } from '../test/sharing-instances';

const GUESTS = Array.from({ length: 12 }, (_, at) => `guest ${at}`);
const instances = new SharingInstances({ partitions: 4 });
let one: SharingInstance;
let client: reservationpb.ReservationCommandServiceClient;

beforeAll(async () => {
  one = await instances.start('one');
  await instances.start('two');
  await instances.untilShared();
  client = new reservationpb.ReservationCommandServiceClient(one.server.address, credentials.createInsecure());
});

afterAll(async () => {
  client.close();
  await instances.stop();
});

const walletOf = (guest: string): string => `wallet of ${guest}`;
const numberOf = (guest: string): string => `room of ${guest}`;
const credit = (accountId: string, amountMinor: bigint, requestId: string) => ({ requestId, accountId, type: 1, amountMinor, unit: 'EUR' });

/** What is available on the account: a posting of one minor unit asks for it, and adds it. */
async function availableOf(accountId: string, requestId: string): Promise<bigint[]> {
  const { results } = await one.batch([credit(accountId, 1n, requestId)]);
  return results.map(({ balanceAfterMinor, heldAfterMinor }) => balanceAfterMinor - heldAfterMinor);
}

test('a reservation has its places and its money of whatever owner, and pays or gives back', async () => {
  await one.open(['hotel', ...GUESTS.map(walletOf)]);
  await one.batch(GUESTS.map((guest) => credit(walletOf(guest), 99n, 'credit')));
  await answered((done) => client.setCapacity(reservationpb.SetCapacityRequest.fromPartial({ requestId: 'c', resourceId: 'hotel', capacity: 12n }), done));
  const reservations = GUESTS.map((guest) => ({
    ...{ requestId: 'r', identityId: guest, number: numberOf(guest), resourceId: 'hotel' },
    money: { accountId: walletOf(guest), amountMinor: 30n, unit: 'EUR', payeeAccountId: 'hotel' },
  }));
  const request = reservationpb.ReserveBatchRequest.fromPartial({ reservations });
  for (const repeated of [false, true]) {
    const { results } = await answered<reservationpb.ReserveBatchResponse>((done) => client.reserveBatch(request, done));
    const { RESERVATION_STATE_RESERVED: state } = reservationpb.ReservationState;
    expect(results).toEqual(GUESTS.map(() => ({ state, waiting: false, reason: '', repeated, error: undefined })));
  }
  const held = await Promise.all(GUESTS.map((guest) => availableOf(walletOf(guest), 'look at what is held')));
  expect(held).toEqual(GUESTS.map(() => [70n]));
  const associates = GUESTS.map((guest) => ({ requestId: 'a', identityId: guest }));
  await answered((done) => client.associateBatch(reservationpb.AssociateBatchRequest.fromPartial({ associates }), done));
  for (const [at, guest] of GUESTS.entries()) {
    const about = { requestId: 'end', number: numberOf(guest) };
    if (at % 2 === 0) await answered((done) => client.complete(reservationpb.CompleteRequest.fromPartial(about), done));
    else await answered((done) => client.cancel(reservationpb.CancelRequest.fromPartial(about), done));
  }
  for (let looks = 1; ; looks += 1) {
    const [paid = 0n] = await availableOf('hotel', `look ${looks}`);
    const left = await Promise.all(GUESTS.map((guest) => availableOf(walletOf(guest), `look ${looks}`)));
    const expected = GUESTS.map((_, at) => [100n + BigInt(looks) - (at % 2 === 0 ? 30n : 0n)]);
    if (paid === 180n + BigInt(looks) && String(left) === String(expected)) return;
    await look();
  }
});
