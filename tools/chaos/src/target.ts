/** A process or a server that can be taken away and brought back. */
import type { Distributed, ServiceChild, ServiceName } from '@sluice/distributed';
import type { RunningServer } from '@sluice/infra';
import type { Cast } from './plan/plan';

export type TargetKind = ServiceName | 'nats' | 'mongodb';

export interface Target {
  /** "command-1", "nats". */
  readonly name: string;
  readonly kind: TargetKind;
  kill(): Promise<void>;
  stop(): Promise<void>;
  pause(): void;
  resume(): void;
  /** Resolves when it does its work again. */
  start(): Promise<void>;
}

export function targetsOf(distributed: Distributed): ReadonlyMap<string, Target> {
  const { processes, nats, mongodb } = distributed;
  const targets = [...processes.map(processTarget), serverTarget('nats', nats), serverTarget('mongodb', mongodb)];
  return new Map(targets.map((target) => [target.name, target]));
}

export function castOf(distributed: Distributed): Cast {
  const names = (service: ServiceName): string[] => distributed.of(service).map(({ name }) => name);
  return {
    command: names('command'),
    projector: names('projector'),
    query: names('query'),
    scheduler: names('scheduler'),
    nats: 'nats',
    mongodb: 'mongodb',
    mongodbSurvivesKill: distributed.mongodb.kind === 'mongod',
  };
}

function processTarget(child: ServiceChild): Target {
  return {
    name: child.name,
    kind: child.service,
    kill: () => child.kill(),
    stop: () => child.stop(),
    pause: () => child.signal('SIGSTOP'),
    resume: () => child.signal('SIGCONT'),
    start: async () => {
      await child.start();
      await child.untilServing();
    },
  };
}

function serverTarget(name: 'nats' | 'mongodb', server: RunningServer): Target {
  return {
    name,
    kind: name,
    kill: () => server.kill(),
    stop: () => server.stop(),
    pause: () => server.signal('SIGSTOP'),
    resume: () => server.signal('SIGCONT'),
    start: () => server.restart(),
  };
}
