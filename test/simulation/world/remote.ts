/**
 * Puts the network between a process and an adapter in memory: each method that gives a promise is asked through `Life.io`, so that it takes
 * time, fails as the plan says, and never answers a process that died.
 */
import type { Life } from './life';

export interface RemoteFaults {
  /** Probability that a request fails without being performed. */
  readonly fails: () => number;
  /** Probability that a request is performed and its answer is a failure. */
  readonly answerLost?: () => number;
  /** Methods that are called without a network: they only concern the process itself. */
  readonly local?: readonly string[];
}

export function remote<Port extends object>(life: Life, port: Port, faults: RemoteFaults, what: string): Port {
  const local = new Set<string | symbol>(faults.local ?? []);
  return new Proxy(port, {
    get(target, property) {
      const value = Reflect.get(target, property, target) as unknown;
      if (typeof value !== 'function') return value;
      if (local.has(property)) return value.bind(target) as unknown;
      return (...values: unknown[]) => {
        const fails = life.random.chance(faults.fails());
        const lost = faults.answerLost !== undefined && life.random.chance(faults.answerLost());
        return life.io(life.networkLatency(), async () => {
          if (fails) throw new Error(`${what}: ${String(property)} failed`);
          const result = await (value as (...given: unknown[]) => unknown).apply(target, values);
          if (lost) throw new Error(`${what}: the answer of ${String(property)} is lost`);
          return result;
        });
      };
    },
  });
}
