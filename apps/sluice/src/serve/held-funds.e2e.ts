/** What a reservation holds, captures and releases is seen in the accounts of a whole embedded server, and the read store agrees with the log. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { credentials } from '@grpc/grpc-js';
import { type Account, SluiceClient } from '@sluice/client';
import { reservationpb } from '@sluice/protocol/reservation';
import { configurationFor } from './configuration';
import { type EmbeddedServer, startEmbedded } from './embedded';

let folder: string;
let server: EmbeddedServer;
let client: SluiceClient;
let reservations: reservationpb.ReservationCommandServiceClient;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-held-funds-'));
  server = await startEmbedded(configurationFor({}, { dataDir: folder, port: 0 }));
  client = new SluiceClient({ target: server.address });
  reservations = new reservationpb.ReservationCommandServiceClient(server.address, credentials.createInsecure());
});
afterAll(async () => {
  reservations.close();
  client.close();
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

async function reserve(number: string): Promise<string> {
  const money = { accountId: 'wallet', amountMinor: 30n, unit: 'EUR', payeeAccountId: 'hotel' };
  const request = reservationpb.ReserveRequest.fromPartial({ requestId: number, identityId: 'guest', number, money });
  const call = promisify<reservationpb.ReserveRequest, reservationpb.ReserveResponse>(reservations.reserve.bind(reservations));
  return reservationpb.ReservationState[(await call(request)).state];
}

async function until(accountId: string, is: (account: Account) => boolean): Promise<Account> {
  for (;;) {
    const account = await client.accounts.get(accountId);
    if (is(account)) return account;
  }
}

test('funds of a reservation are in the statement, in the open holds and in the verification', async () => {
  await client.accounts.open({ accountId: 'wallet', unit: 'EUR' });
  await client.accounts.open({ accountId: 'hotel', unit: 'EUR' });
  await client.accounts.credit({ accountId: 'wallet', unit: 'EUR', amountMinor: 100n });
  expect(await reserve('stay')).toBe('RESERVATION_STATE_RESERVED');
  expect(await reserve('left')).toBe('RESERVATION_STATE_RESERVED');
  const { holds, availableMinor, balanceMinor } = await until('wallet', ({ heldMinor }) => heldMinor === 60n);
  expect([balanceMinor, availableMinor, holds.map(({ holdId, remainingMinor }) => [holdId.length, holdId.split('/')[0], remainingMinor])]).toEqual([
    ...[100n, 40n],
    [
      [129, 'reservation stay', 30n],
      [129, 'reservation left', 30n],
    ],
  ]);
  const [{ holdId = '' } = {}] = holds;
  await expect(client.accounts.release({ accountId: 'wallet', unit: 'EUR', amountMinor: 30n, holdId })).rejects.toMatchObject({ reason: 'INVALID_REQUEST' });

  await promisify<reservationpb.CancelRequest, unknown>(reservations.cancel.bind(reservations))(
    reservationpb.CancelRequest.fromPartial({ requestId: 'cancel', number: 'left' }),
  );
  await promisify<reservationpb.AssociateRequest, unknown>(reservations.associate.bind(reservations))(
    reservationpb.AssociateRequest.fromPartial({ requestId: 'associate', identityId: 'guest', number: 'stay' }),
  );
  await promisify<reservationpb.CompleteRequest, unknown>(reservations.complete.bind(reservations))(
    reservationpb.CompleteRequest.fromPartial({ requestId: 'complete', number: 'stay' }),
  );
  await until('hotel', (account) => account.balanceMinor === 30n);
  await until('wallet', (account) => account.balanceMinor === 70n && account.heldMinor === 0n);
  const origins = [];
  for await (const entry of client.accounts.entries('wallet')) origins.push(`${entry.type} ${entry.origin} ${entry.counterparty}`);
  expect(origins.toSorted()).toEqual([
    'CAPTURE FUNDS_TAKEN stay',
    'CREDIT POSTING ',
    'HOLD FUNDS_HELD left',
    'HOLD FUNDS_HELD stay',
    'RELEASE FUNDS_RELEASED left',
  ]);
  for (const accountId of ['wallet', 'hotel']) expect(await client.log.verifyAccount(accountId)).toMatchObject({ equal: true, differences: [] });
});
