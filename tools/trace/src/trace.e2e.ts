import { haveServer } from '@sluice/infra';
import type { ReceivedSpan } from '@sluice/telemetry';
import { traceOnePosting, type TracedPosting } from './trace-one-posting';
import { traceTree } from './trace-tree';

const possible = haveServer('nats') && haveServer('mongodb');

(possible ? describe : describe.skip)('one posting through every service', () => {
  let traced: TracedPosting;
  beforeAll(async () => {
    traced = await traceOnePosting({ external: false });
  });

  const named = (name: string, service: string): ReceivedSpan => {
    const span = traced.spans.find((candidate) => candidate.name === name && candidate.service === service);
    if (span === undefined) throw new Error(`there is no ${name} of ${service} in:\n${traceTree(traced.spans).join('\n')}`);
    return span;
  };

  test('is one trace over all four services and the caller', () => {
    expect(new Set(traced.spans.map(({ service }) => service))).toEqual(
      new Set(['sluice-trace', 'sluice-command', 'sluice-projector', 'sluice-query', 'sluice-scheduler']),
    );
    expect(new Set(traced.spans.map(({ traceId }) => traceId))).toEqual(new Set([traced.traceId]));
  });

  test.each`
    child                                                 | of                    | parent                                                | by
    ${'sluice.account.v1.AccountCommandService/Post'}     | ${'sluice-trace'}     | ${'post and read back'}                               | ${'sluice-trace'}
    ${'publish'}                                          | ${'sluice-command'}   | ${'commit'}                                           | ${'sluice-command'}
    ${'project'}                                          | ${'sluice-projector'} | ${'publish'}                                          | ${'sluice-command'}
    ${'write read store'}                                 | ${'sluice-projector'} | ${'project'}                                          | ${'sluice-projector'}
    ${'sluice.account.v1.AccountQueryService/GetAccount'} | ${'sluice-query'}     | ${'sluice.account.v1.AccountQueryService/GetAccount'} | ${'sluice-trace'}
    ${'sluice.scheduler.v1.SchedulerService/GetStatus'}   | ${'sluice-scheduler'} | ${'sluice.scheduler.v1.SchedulerService/GetStatus'}   | ${'sluice-trace'}
  `('$child of $of hangs below $parent', ({ child, of, parent, by }: { child: string; of: string; parent: string; by: string }) => {
    expect(named(child, of).parentSpanId).toBe(named(parent, by).spanId);
  });

  test('deciding and committing hang below the call at the owner', () => {
    const owner = traced.spans.find(({ spanId }) => spanId === named('decide', 'sluice-command').parentSpanId);
    expect(named('commit', 'sluice-command').parentSpanId).toBe(owner?.spanId);
    expect(owner).toMatchObject({ service: 'sluice-command', name: expect.stringMatching(/AccountCommandService\/Post(Batch)?$/) });
  });

  test('what is printed names every span once, the caller’s first', () => {
    const lines = traceTree(traced.spans);
    expect(lines).toHaveLength(traced.spans.length);
    expect(lines[0]).toContain('post and read back');
    expect(lines.some((line) => line.includes('└─ write read store'))).toBe(true);
  });
});
