/** Branches and the catalogue as bytes. */
import { newBranch, type Branch, type Catalogue, type PartitionProgress, type Run } from '@sluice/domain/businessday';
import type { StateCodec } from '@sluice/engine';
import { encodeMessage } from '@sluice/protocol';
import { businessdaypb } from '@sluice/protocol/businessday';
import { GOAL_NAMES, PARTITION_STATE_NAMES } from './business-day-names';
import { productFromProto, productToProto, termsFromProto, termsToProto } from './products-on-the-wire';
import { settingsFromProto, settingsToProto, stepFromProto, stepToProto } from './settings-on-the-wire';

export const branchRecord: StateCodec<Branch> = {
  version: 1,
  encode: ({ branchId: _, settings, cutTime, version, run, ...branch }) => {
    const record = {
      ...branch,
      settings: settings && settingsToProto(settings),
      cutTimeZone: cutTime.timeZone,
      cutMinutes: cutTime.cutMinutes,
      version: BigInt(version),
      run: run && runToProto(run),
    };
    return encodeMessage(businessdaypb.BranchRecord, record);
  },
  decode: (bytes, _version, branchId) => {
    const { settings, cutTimeZone, cutMinutes, version, run, onlineRun, batchRun, ...branch } = businessdaypb.BranchRecord.decode(bytes);
    return {
      ...newBranch(branchId),
      ...branch,
      settings: settings && settingsFromProto(settings),
      cutTime: { timeZone: cutTimeZone, cutMinutes },
      onlineRun,
      batchRun,
      version: Number(version),
      run: run && runFromProto(run),
    };
  },
};

function runToProto({ goal, settings, steps, partitions, stepBegunAtUs, terms, setAside, ...run }: Run): businessdaypb.RunRecord {
  return {
    ...run,
    goal: GOAL_NAMES.toProto(goal),
    settings: settingsToProto(settings),
    steps: steps.map(stepToProto),
    stepBegun: partitions !== undefined,
    stepBegunAtUs: BigInt(stepBegunAtUs),
    partitions: (partitions ?? []).map(({ state, from }) => ({ state: PARTITION_STATE_NAMES.toProto(state), from })),
    hasTerms: terms !== undefined,
    terms: (terms ?? []).map(termsToProto),
    setAside: BigInt(setAside),
  };
}

function runFromProto(record: businessdaypb.RunRecord): Run {
  const { goal, settings, steps, stepBegun, stepBegunAtUs, partitions, hasTerms, terms, setAside, ...run } = record;
  return {
    ...run,
    goal: GOAL_NAMES.fromProto(goal),
    settings: settingsFromProto(settings),
    steps: steps.map(stepFromProto),
    partitions: stepBegun ? partitions.map(({ state, from }): PartitionProgress => ({ state: PARTITION_STATE_NAMES.fromProto(state), from })) : undefined,
    stepBegunAtUs: Number(stepBegunAtUs),
    terms: hasTerms ? terms.map(termsFromProto) : undefined,
    setAside: Number(setAside),
  };
}

export const catalogueRecord: StateCodec<Catalogue> = {
  version: 1,
  encode: ({ products }) => encodeMessage(businessdaypb.CatalogueRecord, { products: [...products.values()].map(productToProto) }),
  decode: (bytes) => {
    const products = businessdaypb.CatalogueRecord.decode(bytes).products.map(productFromProto);
    return { products: new Map(products.map((product) => [product.productId, product])) };
  },
};
