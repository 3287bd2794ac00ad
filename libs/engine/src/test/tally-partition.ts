/** A partition of tallies, asked as a caller asks. */
import { AggregateSubmission } from '../aggregates/aggregate-submission';
import type { AggregateState } from '../aggregates/aggregate-state';
import type { RequestVerdict } from '../aggregates/recorded-requests';
import { PartitionUnderTest, type Surroundings } from './partition-under-test';
import { encoded, tallyCapability, type TallyRequest, type TallyView } from './tally';

export interface TallyAnswer {
  readonly verdict: RequestVerdict;
  readonly repeated: boolean;
  readonly sequence: number;
}

export const tally = tallyCapability();

export class TallyPartition {
  private constructor(readonly under: PartitionUnderTest) {}

  static async started(surroundings: Surroundings = {}): Promise<TallyPartition> {
    return new TallyPartition(await PartitionUnderTest.started({ capabilities: [tally], ...surroundings }));
  }

  /** The next process on the same log and snapshots. */
  async next(surroundings: Surroundings = {}): Promise<TallyPartition> {
    return new TallyPartition(await this.under.next({ capabilities: [tally], ...surroundings }));
  }

  get state(): AggregateState {
    return this.under.partition.stateOf('tally') as AggregateState;
  }

  count(key: string): number {
    return (this.state.siblingView as TallyView).count(key);
  }

  /** One submission of requests by methods and requests. */
  ask(...asked: readonly (readonly [method: string, request: Partial<TallyRequest>])[]): Promise<TallyAnswer[]> {
    const { partition } = this.under;
    const requests = asked.map(([method, request]) => tally.request(method, tally.read(method, encoded(request)), partition.seeds));
    return new Promise((resolve) => {
      const submission = new AggregateSubmission(partition, 'tally', requests, () =>
        resolve(requests.map(({ verdict, repeated }) => ({ verdict: verdict as RequestVerdict, repeated, sequence: submission.sequence }))),
      );
      submission.submit();
    });
  }

  async one(method: string, request: Partial<TallyRequest>): Promise<TallyAnswer> {
    const [answer] = await this.ask([method, request]);
    return answer as TallyAnswer;
  }
}

/** An answer in a line: "7", "7 again", "BELOW_ZERO count=3", "reused", "QUEUE_FULL". */
export function said({ verdict, repeated }: TallyAnswer): string {
  return `${verdictText(verdict)}${repeated ? ' again' : ''}`;
}

function verdictText(verdict: RequestVerdict): string {
  switch (verdict.kind) {
    case 'accepted':
      return Buffer.from(verdict.reply).toString();
    case 'rejected':
      return [verdict.reason, ...Object.entries(verdict.metadata).map(([name, value]) => `${name}=${value}`)].join(' ');
    case 'reused':
      return 'reused';
    case 'refused':
      return verdict.refusal;
    default:
      throw new Error(`no such verdict: ${String(verdict satisfies never)}`);
  }
}
