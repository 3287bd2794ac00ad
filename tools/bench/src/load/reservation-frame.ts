/**
 * Reservations, and the associate requests for them: encoded once, and sent many times with other request ids, identities and numbers each time; see
 * request-frame.ts.
 */
import { reservationpb } from '@sluice/protocol/reservation';
import { ACCOUNT_DIGITS } from './load-order';
import { ACCOUNT_PLACEHOLDER, offsetsOf } from './numbered-frame';
import { writeNumber } from './request-frame';
import { REQUEST_ID_LENGTH, REQUEST_ID_PLACEHOLDER, type RequestIds } from './request-ids';

/** Whether a request is a batch or a single one: the two are encoded differently. */
type Shape = 'batch' | 'single';

export interface ReservationChoice {
  readonly shape: Shape;
  /** Of a batch. */
  readonly items: number;
  /** Each reservation is for a random one of identities 0 to identities - 1. */
  readonly identities: number;
  /** Empty: none. */
  readonly resourceId: string;
}

const ITEM = { requestId: REQUEST_ID_PLACEHOLDER, identityId: ACCOUNT_PLACEHOLDER, number: REQUEST_ID_PLACEHOLDER } as const;

export class ReservationFrame {
  private readonly reserve: Located;
  private readonly associate: Located;

  constructor(private readonly choice: ReservationChoice) {
    const { shape, items, resourceId } = choice;
    const { ReserveRequest, ReserveBatchRequest, AssociateRequest, AssociateBatchRequest } = reservationpb;
    const reservation = ReserveRequest.fromPartial({ ...ITEM, resourceId });
    const associate = AssociateRequest.fromPartial(ITEM);
    this.reserve = locate(
      shape === 'single'
        ? ReserveRequest.encode(reservation).finish()
        : ReserveBatchRequest.encode({ reservations: new Array<reservationpb.ReserveRequest>(items).fill(reservation) }).finish(),
    );
    this.associate = locate(
      shape === 'single'
        ? AssociateRequest.encode(associate).finish()
        : AssociateBatchRequest.encode({ associates: new Array<reservationpb.AssociateRequest>(items).fill(associate) }).finish(),
    );
  }

  /** The next reservations, over those before: numbers that nothing has yet. */
  nextReserve(ids: RequestIds): Buffer {
    const { bytes, requestIds, numbers, identities } = this.reserve;
    for (let at = 0; at < requestIds.length; at += 1) {
      ids.writeNext(bytes, requestIds[at] as number);
      ids.writeNext(bytes, numbers[at] as number);
      const identity = Math.floor(Math.random() * this.choice.identities);
      writeNumber(bytes, (identities[at] as number) + ACCOUNT_PLACEHOLDER.length - ACCOUNT_DIGITS, identity);
    }
    return bytes;
  }

  /** A request for each of the newest reservations, by its identity and its number. */
  nextAssociate(ids: RequestIds): Buffer {
    const { bytes, requestIds, numbers, identities } = this.associate;
    const from = this.reserve;
    for (let at = 0; at < requestIds.length; at += 1) {
      ids.writeNext(bytes, requestIds[at] as number);
      const [number, identity] = [from.numbers[at] as number, from.identities[at] as number];
      from.bytes.copy(bytes, numbers[at], number, number + REQUEST_ID_LENGTH);
      from.bytes.copy(bytes, identities[at], identity, identity + ACCOUNT_PLACEHOLDER.length);
    }
    return bytes;
  }
}

interface Located {
  readonly bytes: Buffer;
  readonly requestIds: readonly number[];
  readonly identities: readonly number[];
  readonly numbers: readonly number[];
}

/** Request id and number of an item are placeholders of one form, in this order. */
function locate(encoded: Uint8Array): Located {
  const bytes = Buffer.from(encoded);
  const ids = offsetsOf(bytes, REQUEST_ID_PLACEHOLDER);
  return {
    bytes,
    requestIds: ids.filter((_, at) => at % 2 === 0),
    numbers: ids.filter((_, at) => at % 2 === 1),
    identities: offsetsOf(bytes, ACCOUNT_PLACEHOLDER),
  };
}
