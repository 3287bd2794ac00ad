/** The buffer of an identity, followed event by event: its numbers and its associate requests. */
import { reservationpb } from '@sluice/protocol/reservation';

/** A request that is parked for less expires during the run. The others are parked for an hour. */
const SHORT_PARK_US = 1_000_000_000n;
const { AssociateState, ReservationState } = reservationpb;

export interface ReadAssociate {
  readonly number: string;
  readonly parkedUntilUs: bigint;
  /** Its time ends during the run: the judge waits for that. */
  readonly willExpire: boolean;
  /** Empty: it is parked, or over. */
  sentTo: string;
  state: 'OPEN' | 'ASSOCIATED' | 'REJECTED' | 'EXPIRED';
  /** The number that it was applied to. */
  appliedTo: string;
  reason: string;
}

interface ReadReport {
  readonly state: string;
  readonly version: number;
  readonly reason: string;
}

export class ReadIdentity {
  /** What each number said last, in order of reservation. */
  readonly numbers = new Map<string, ReadReport>();
  /** Request ids of accepted reservations. */
  readonly reserveIds = new Set<string>();
  /** By the identity's id of the request. */
  readonly associates = new Map<string, ReadAssociate>();

  constructor(
    readonly identityId: string,
    private readonly contradict: (what: string) => void,
  ) {}

  numberAsked({ number, requestId }: reservationpb.NumberAsked): void {
    if (this.reserveIds.has(requestId)) this.contradict(`identity ${this.identityId} takes reservation ${requestId} twice`);
    this.reserveIds.add(requestId);
    this.numbers.set(number, { state: 'NONE', version: 0, reason: '' });
  }

  numberReported({ report }: reservationpb.NumberReported): void {
    const known = this.numbers.get(report?.number ?? '');
    if (report === undefined || known === undefined || report.version <= known.version)
      return this.contradict(`identity ${this.identityId} learns an old report of ${report?.number}`);
    const state = ReservationState[report.state]?.slice('RESERVATION_STATE_'.length) ?? '';
    this.numbers.set(report.number, { state, version: report.version, reason: report.reason });
  }

  associateTaken({ associateId, number, parkedUntilUs }: reservationpb.AssociateTaken, atUs: bigint): void {
    if (this.associates.has(associateId)) this.contradict(`identity ${this.identityId} takes associate request ${associateId} twice`);
    this.associates.set(associateId, {
      number,
      parkedUntilUs,
      willExpire: parkedUntilUs - atUs < SHORT_PARK_US,
      sentTo: '',
      state: 'OPEN',
      appliedTo: '',
      reason: '',
    });
  }

  associateSent({ associateId, number }: reservationpb.AssociateSent): void {
    const associate = this.open(associateId, 'is sent');
    if (associate === undefined) return;
    if (associate.sentTo !== '') this.contradict(`identity ${this.identityId} sends ${associateId} to ${number} and to ${associate.sentTo}`);
    if (associate.number !== '' && associate.number !== number)
      this.contradict(`identity ${this.identityId} sends ${associateId} to ${number}, not to ${associate.number}`);
    associate.sentTo = number;
  }

  associateParked({ associateId }: reservationpb.AssociateParked): void {
    const associate = this.open(associateId, 'is parked');
    if (associate !== undefined) associate.sentTo = '';
  }

  associateEnded({ associateId, state, number, reason, version }: reservationpb.AssociateEnded, atUs: bigint): void {
    const associate = this.open(associateId, 'ends');
    if (associate === undefined) return;
    const ended = AssociateState[state].slice('ASSOCIATE_STATE_'.length) as ReadAssociate['state'];
    if (ended === 'EXPIRED' && atUs < associate.parkedUntilUs) this.contradict(`associate request ${associateId} of ${this.identityId} expires early`);
    if ((ended === 'ASSOCIATED') === (number === '') || (ended === 'ASSOCIATED') === (reason !== ''))
      this.contradict(`associate request ${associateId} of ${this.identityId} ends as ${ended}, number "${number}", reason "${reason}"`);
    Object.assign(associate, { state: ended, sentTo: '', appliedTo: number, reason });
    const known = this.numbers.get(number);
    if (known !== undefined && version > known.version) this.numbers.set(number, { state: 'ASSOCIATED', version, reason: '' });
  }

  private open(associateId: string, what: string): ReadAssociate | undefined {
    const associate = this.associates.get(associateId);
    if (associate?.state === 'OPEN') return associate;
    this.contradict(`associate request ${associateId} of ${this.identityId} ${what} and is ${associate?.state}`);
    return undefined;
  }
}
