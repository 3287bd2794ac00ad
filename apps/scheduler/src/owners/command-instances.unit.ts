import type { Lease, LeaseListener } from '@sluice/ports';
import type { PeerCalls } from '@sluice/service';
import { type CommandInstances, leasedCommandInstances, oneCommandInstance } from './command-instances';

const CALLS = {} as PeerCalls;

/** Leases as the test tells them. */
class ToldLeases {
  listener: LeaseListener = () => undefined;

  get lease(): Lease {
    return {
      watch: (listener: LeaseListener) => {
        this.listener = listener;
        return () => undefined;
      },
    } as unknown as Lease;
  }

  held(name: string, id: string, address = `${id}:7400`): void {
    this.listener({ kind: 'held', lease: { name, holder: { id, address }, epoch: 1 }, confirmed: true });
  }

  free(name: string): void {
    this.listener({ kind: 'free', name, successor: undefined });
  }
}

function changesOf(instances: CommandInstances): string[] {
  const changes: string[] = [];
  instances.watch({ came: ({ id }) => changes.push(`${id} came`), gone: ({ id }) => changes.push(`${id} went`) });
  return changes;
}

test.each`
  what                                                                 | told                                                                                        | changes
  ${'an instance that announces itself is there'}                      | ${[['command-instance/a', 'a']]}                                                            | ${['a came']}
  ${'it is there once, whatever it holds'}                             | ${[['command-instance/a', 'a'], ['command/1', 'a']]}                                        | ${['a came']}
  ${'one that stops is there while it holds a partition'}              | ${[['command-instance/a', 'a'], ['command/1', 'a'], ['command-instance/a'], ['command/1']]} | ${['a came', 'a went']}
  ${'a partition that changes hands brings the next instance'}         | ${[['command/1', 'a'], ['command/1', 'b']]}                                                 | ${['a came', 'b came', 'a went']}
  ${'one that starts again elsewhere is another one'}                  | ${[['command-instance/a', 'a'], ['command-instance/a', 'a', 'elsewhere:7400']]}             | ${['a came', 'a came', 'a went']}
  ${'projectors, schedulers and those that only prepare do not count'} | ${[['projector/1', 'p'], ['scheduler', 's'], ['command-ready/1', 'a']]}                     | ${[]}
`('$what', ({ told, changes }: { told: [name: string, id?: string, address?: string][]; changes: string[] }) => {
  const leases = new ToldLeases();
  const seen = changesOf(leasedCommandInstances(leases.lease, () => CALLS));
  for (const [name, id, address] of told) {
    if (id === undefined) leases.free(name);
    else leases.held(name, id, address);
  }
  expect(seen).toEqual(changes);
});

test('a listener that comes late is told of those that are there', () => {
  const leases = new ToldLeases();
  const instances = leasedCommandInstances(leases.lease, () => CALLS);
  leases.held('command/1', 'a');
  expect(changesOf(instances)).toEqual(['a came']);
  expect(instances.present.map(({ id }) => id)).toEqual(['a']);
});

test('embedded, the command service of the process is there', () => {
  const instances = oneCommandInstance({ id: 'embedded', calls: CALLS });
  expect(changesOf(instances)).toEqual(['embedded came']);
});
