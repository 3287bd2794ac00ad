/**
 * What became of a reservation or of an associate request, for its answer: a number and perhaps a resource have to be asked, and the identity
 * learns of it. The answer waits for that, for a bounded time; what it says is durable.
 */
import { partitionOfWholeKey } from '@sluice/domain';
import {
  associateOutcomeIn,
  outcomeOfAssociate,
  outcomeOfReserve,
  reserveOutcomeIn,
  type AssociateOutcome,
  type Identity,
  type IdentityCommand,
  type IdentityEvent,
} from '@sluice/domain/reservation';
import type { AggregateRequest, AggregateState } from '@sluice/engine';
import type { Clock } from '@sluice/ports';
import { reservationpb } from '@sluice/protocol/reservation';
import type { CommandContext } from '../command-capability';
import { isDurable } from '../methods/durable-state';
import type { CompletedReply, CompleteReply } from '../methods/reply-completion';
import type { OutcomeWaiters } from './outcome-waiters';
import { IDENTITY, stateToProto } from './reservation-names';

/** How long an answer waits for what is not known yet. */
const ANSWER_WAIT_MS = 2_000;

const { ASSOCIATE_STATE_UNSPECIFIED, ASSOCIATE_STATE_PARKED, ASSOCIATE_STATE_ASSOCIATED, ASSOCIATE_STATE_REJECTED, ASSOCIATE_STATE_EXPIRED } =
  reservationpb.AssociateState;

const ASSOCIATE_STATES: Readonly<Record<AssociateOutcome['state'], reservationpb.AssociateState>> = {
  FORGOTTEN: ASSOCIATE_STATE_UNSPECIFIED,
  PARKED: ASSOCIATE_STATE_PARKED,
  ASSOCIATED: ASSOCIATE_STATE_ASSOCIATED,
  REJECTED: ASSOCIATE_STATE_REJECTED,
  EXPIRED: ASSOCIATE_STATE_EXPIRED,
};
const UNTOLD = { repeated: false, positionToken: '' };

/** An outcome, and the sequence of the identity's partition that says so. */
interface Known<Outcome> {
  readonly outcome: Outcome;
  readonly sequence: number;
}

interface Finding<Outcome> {
  readonly outcomeOf: (identity: Identity) => Outcome | undefined;
  readonly outcomeIn: (events: readonly IdentityEvent[]) => Outcome | undefined;
}

export class OutcomeReplies {
  constructor(
    private readonly context: CommandContext,
    private readonly clock: Clock,
    private readonly waiters: OutcomeWaiters,
  ) {}

  readonly ofReserve: CompleteReply = async (request, reply, partition) => {
    const command = request.command as Extract<IdentityCommand, { kind: 'reserveNumber' }>;
    const known = await this.known(request, partition, {
      outcomeOf: (identity) => outcomeOfReserve(identity, command.number),
      outcomeIn: (events) => reserveOutcomeIn(events, command.number),
    });
    if (known === undefined) return { reply, sequences: new Map() };
    const { state, waiting, reason } = known.outcome;
    return this.completed(
      reservationpb.ReserveResponse.encode({ ...UNTOLD, state: stateToProto(state), waiting, reason }).finish(),
      partition,
      known,
      command.number,
    );
  };

  readonly ofAssociate: CompleteReply = async (request, reply, partition) => {
    const { associateId } = request.command as Extract<IdentityCommand, { kind: 'takeAssociate' }>;
    const known = await this.known(request, partition, {
      outcomeOf: (identity) => outcomeOfAssociate(identity, associateId),
      outcomeIn: (events) => associateOutcomeIn(events, associateId),
    });
    if (known === undefined) return { reply, sequences: new Map() };
    const { state, number, reason } = known.outcome;
    return this.completed(
      reservationpb.AssociateResponse.encode({ ...UNTOLD, state: ASSOCIATE_STATES[state], number, reason }).finish(),
      partition,
      known,
      number,
    );
  };

  private completed(reply: Uint8Array, partition: number, { outcome, sequence }: Known<{ readonly sequence: number }>, number: string): CompletedReply {
    const sequences = new Map([[partition, sequence]]);
    if (outcome.sequence > 0) {
      const numbers = partitionOfWholeKey(Buffer.from(number, 'utf8'), this.context.engine.partitionCount);
      sequences.set(numbers, Math.max(outcome.sequence, sequences.get(numbers) ?? 0));
    }
    return { reply, sequences };
  }

  /**
   * Undefined: it is not known within the time, or not here.
   *
   * @param finding in what the identity remembers, and in what happens to it: of what is over it remembers little.
   */
  private async known<Outcome>({ key }: AggregateRequest, partition: number, finding: Finding<Outcome>): Promise<Known<Outcome> | undefined> {
    const { outcomeOf, outcomeIn } = finding;
    const owned = this.context.engine.partition(partition);
    if (owned === undefined || owned.state !== 'serving') return undefined;
    const state = owned.stateOf(IDENTITY.capability) as AggregateState;
    const outcomeNow = (): Outcome | undefined => {
      const identity = state.stateOf(IDENTITY.aggregate, key.text) as Identity | undefined;
      return identity && outcomeOf(identity);
    };
    const outcome = outcomeNow();
    if (outcome !== undefined) {
      const sequence = state.sequenceOf(IDENTITY.aggregate, key.text);
      return (await isDurable(owned, sequence)) ? { outcome, sequence } : undefined;
    }
    return new Promise((resolve) => {
      const end = (known: Known<Outcome> | undefined): void => {
        cancelTimer();
        endListening();
        resolve(known);
      };
      const cancelTimer = this.clock.after(ANSWER_WAIT_MS, () => end(undefined));
      const endListening = this.waiters.listen(key.text, (events, sequence) => {
        const found = outcomeIn(events) ?? (state.sequenceOf(IDENTITY.aggregate, key.text) === sequence ? outcomeNow() : undefined);
        if (found !== undefined) end({ outcome: found, sequence });
      });
    });
  }
}
