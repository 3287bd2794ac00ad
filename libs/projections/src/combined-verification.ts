/** The verification of a projection whose aggregates are compared in different ways: by the kind of aggregate. */
import type { ProjectionVerification } from './verification';

export function combineVerifications(byAggregate: Readonly<Record<string, ProjectionVerification>>): ProjectionVerification {
  const verifications = Object.values(byAggregate);
  return {
    kinds: verifications.flatMap(({ kinds }) => kinds),
    partition: async (scope) => {
      const parts = await Promise.all(verifications.map((verification) => verification.partition(scope)));
      return {
        last: Math.max(...parts.map(({ last }) => last)),
        take: (commit) => {
          for (const part of parts) part.take(commit);
        },
        compare: async () => {
          const comparisons = [];
          for (const part of parts) comparisons.push(await part.compare());
          return {
            compared: Object.assign({}, ...comparisons.map(({ compared }) => compared)) as Record<string, number>,
            faults: comparisons.flatMap(({ faults }) => faults),
            suspicious: comparisons.flatMap(({ suspicious }) => suspicious),
          };
        },
      };
    },
    aggregate: (scope, name) => {
      const verification = byAggregate[name.aggregate];
      if (verification === undefined) throw new Error(`${scope.projection} has no aggregates of the kind ${name.aggregate}`);
      return verification.aggregate(scope, name);
    },
  };
}
