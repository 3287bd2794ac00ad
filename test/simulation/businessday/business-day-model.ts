/** Reads what the log says about business days. */
import { businessdaypb } from '@sluice/protocol/businessday';
import type { DecodedLog } from '../world/decoded-log';
import { DatedAccounts } from '../money/dated-accounts';
import { ReadBranch } from './read-branch';

export interface BusinessDayReading {
  readonly branches: ReadonlyMap<string, ReadBranch>;
  readonly accounts: DatedAccounts;
  readonly contradictions: readonly string[];
}

type Read = (payload: Uint8Array) => void;

/** @returns a function that reads what the log says by now. */
export function businessDayReader(log: DecodedLog): () => BusinessDayReading {
  const accounts = new DatedAccounts();
  const branches = new Map<string, ReadBranch>();
  const of = ({ branchId }: { readonly branchId: string }): ReadBranch => {
    const branch = branches.get(branchId);
    if (branch === undefined) throw new Error(`branch ${branchId} has events and was never registered`);
    return branch;
  };
  const reads: Readonly<Record<string, Read>> = {
    'businessday.BranchRegistered': (payload) => {
      const { branchId, date, closedDate } = businessdaypb.BranchRegistered.decode(payload);
      branches.set(branchId, new ReadBranch(branchId, date, closedDate));
    },
    'businessday.RunBegun': (payload) => eventOf(businessdaypb.RunBegun, payload, (event) => of(event).runBegun(event)),
    'businessday.StepBegun': (payload) => eventOf(businessdaypb.StepBegun, payload, (event) => of(event).stepBegun(event)),
    'businessday.StepAdvanced': (payload) => eventOf(businessdaypb.StepAdvanced, payload, (event) => of(event).stepAdvanced(event)),
    'businessday.StepEnded': (payload) => eventOf(businessdaypb.StepEnded, payload, (event) => of(event).stepEnded(event)),
    'businessday.OnlineDateMoved': (payload) => eventOf(businessdaypb.OnlineDateMoved, payload, (event) => of(event).onlineDateMoved(event)),
    'businessday.BatchDateMoved': (payload) => eventOf(businessdaypb.BatchDateMoved, payload, (event) => of(event).batchDateMoved(event)),
  };
  const readOn = log.follow(({ partition, events }) => {
    for (const event of events) {
      accounts.take(partition, event);
      reads[event.type]?.(event.payload);
    }
  });
  return () => {
    readOn();
    const contradictions = [...accounts.contradictions, ...[...branches.values()].flatMap((branch) => branch.contradictions)];
    return { branches, accounts, contradictions };
  };
}

function eventOf<Event>(codec: { decode(payload: Uint8Array): Event }, payload: Uint8Array, take: (event: Event) => void): void {
  take(codec.decode(payload));
}
