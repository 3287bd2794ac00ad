import type { Distributed } from './start-distributed';
import type { ServiceName } from './service-name';
import { startText } from './start-text';

test('the commands that it shows name every service that runs apart', () => {
  const of = (service: ServiceName) => [{ name: `${service}-1`, address: `127.0.0.1:${service}`, metricsUrl: undefined }];
  const shown = startText({ nats: { describe: '' }, mongodb: { describe: '' }, dataDir: '', of } as unknown as Distributed);
  const commands = shown.split('\n').filter((line) => line.startsWith('  npx sluice'));
  expect(commands.length).toBeGreaterThanOrEqual(4);
  for (const line of commands) {
    expect(line).toContain(
      '--target 127.0.0.1:command --query-target 127.0.0.1:query --projector-target 127.0.0.1:projector --scheduler-target 127.0.0.1:scheduler ',
    );
  }
});
