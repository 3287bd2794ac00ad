/** The kinds of aggregates of business days, and how states and kinds are named in messages. */
import type { Capitalisation, Job, PartitionProgress, RunGoal, RunState, StepKind } from '@sluice/domain/businessday';
import type { DayCount, RollPolicy } from '@sluice/domain/day';
import { logpb } from '@sluice/protocol';
import { businessdaypb } from '@sluice/protocol/businessday';
import { invalidRequest } from '@sluice/service';

export const BRANCH = { capability: 'businessday', aggregate: 'branch' } as const;
export const CATALOGUE = { capability: 'businessday', aggregate: 'catalogue' } as const;
/** The key of the one catalogue. */
export const CATALOGUE_KEY = 'products';

/** Names in the domain, and their numbers in messages. */
export class EnumNames<Name extends string, Value extends number> {
  private readonly names: ReadonlyMap<number, Name>;

  constructor(
    /** For errors. */
    private readonly what: string,
    private readonly values: Readonly<Record<Name, Value>>,
  ) {
    this.names = new Map((Object.entries(values) as [Name, Value][]).map(([name, value]) => [value, name]));
  }

  toProto(name: Name): Value {
    return this.values[name];
  }

  /** Of what Sluice wrote itself. */
  fromProto(value: number): Name {
    const name = this.names.get(value);
    if (name === undefined) throw new Error(`the ${this.what} ${value} is not known to this version of Sluice`);
    return name;
  }

  /** Of a request. Throws INVALID_REQUEST. @param byDefault of what the request does not say; undefined: it has to. */
  asked(value: number, field: string, byDefault: Name | undefined): Name {
    const name = value === 0 ? byDefault : this.names.get(value);
    if (name === undefined) throw invalidRequest(field, `is ${value}; there is no such ${this.what}`);
    return name;
  }
}

const { Job: JobProto, StepKind: StepProto, RunGoal: GoalProto, RunState: StateProto, Capitalisation: CapitalisationProto, PartitionState } = businessdaypb;

export const JOB_NAMES = new EnumNames<Job, businessdaypb.Job>('job', {
  MATURITY: JobProto.JOB_MATURITY,
  INTEREST: JobProto.JOB_INTEREST,
  ACCOUNTING: JobProto.JOB_ACCOUNTING,
  REPORTS: JobProto.JOB_REPORTS,
});

export const STEP_NAMES = new EnumNames<StepKind, businessdaypb.StepKind>('kind of step', {
  STAGE_ONE: StepProto.STEP_KIND_STAGE_ONE,
  CUT: StepProto.STEP_KIND_CUT,
  SEAL: StepProto.STEP_KIND_SEAL,
  ROLL: StepProto.STEP_KIND_ROLL,
  JOB: StepProto.STEP_KIND_JOB,
  BEGIN: StepProto.STEP_KIND_BEGIN,
});

export const GOAL_NAMES = new EnumNames<RunGoal, businessdaypb.RunGoal>('goal', {
  CUT: GoalProto.RUN_GOAL_CUT,
  BATCH: GoalProto.RUN_GOAL_BATCH,
  BEGIN: GoalProto.RUN_GOAL_BEGIN,
});

export const RUN_STATE_NAMES = new EnumNames<RunState, businessdaypb.RunState>('state of a run', {
  RUNNING: StateProto.RUN_STATE_RUNNING,
  WAITING: StateProto.RUN_STATE_WAITING,
  PAUSED: StateProto.RUN_STATE_PAUSED,
});

export const PARTITION_STATE_NAMES = new EnumNames<PartitionProgress['state'], businessdaypb.PartitionState>('state of a partition', {
  ASKED: PartitionState.PARTITION_STATE_ASKED,
  HELD: PartitionState.PARTITION_STATE_HELD,
  COUNTED: PartitionState.PARTITION_STATE_COUNTED,
  SEALING: PartitionState.PARTITION_STATE_SEALING,
  DONE: PartitionState.PARTITION_STATE_DONE,
});

export const CAPITALISATION_NAMES = new EnumNames<Capitalisation, businessdaypb.Capitalisation>('capitalisation', {
  DAILY: CapitalisationProto.CAPITALISATION_DAILY,
  MONTHLY: CapitalisationProto.CAPITALISATION_MONTHLY,
  QUARTERLY: CapitalisationProto.CAPITALISATION_QUARTERLY,
  YEARLY: CapitalisationProto.CAPITALISATION_YEARLY,
  AT_MATURITY: CapitalisationProto.CAPITALISATION_AT_MATURITY,
});

export const ROLL_POLICY_NAMES = new EnumNames<RollPolicy, logpb.RollPolicy>('roll policy', {
  BEFORE_POSTING: logpb.RollPolicy.ROLL_POLICY_BEFORE_POSTING,
  AFTER_POSTING: logpb.RollPolicy.ROLL_POLICY_AFTER_POSTING,
});

export const DAY_COUNT_NAMES = new EnumNames<DayCount, logpb.DayCount>('day count', {
  ACT_365: logpb.DayCount.DAY_COUNT_ACT_365,
  ACT_360: logpb.DayCount.DAY_COUNT_ACT_360,
  '30E_360': logpb.DayCount.DAY_COUNT_30E_360,
});
