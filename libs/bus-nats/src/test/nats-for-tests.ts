/** For tests on a real server: one server per test file, a deployment of its own per test. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { haveServer, type NatsServerOptions, type RunningServer, startNats } from '@sluice/infra';

import { NatsLink } from '../nats-link';

let server: RunningServer | undefined;
let folder: string | undefined;

/** Tests that need a NATS server of their own; skipped, loudly, where none can be had. */
export function describeOnNats(name: string, body: () => void, options: Pick<NatsServerOptions, 'configuration'> = {}): void {
  (haveServer('nats', { external: false }) ? describe : describe.skip)(name, () => {
    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'sluice-nats-'));
      server = await startNats({ dataDir: folder, external: false, ...options });
    });
    afterAll(async () => {
      await server?.stop();
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
    });
    body();
  });
}

export function natsServer(): RunningServer {
  if (server === undefined) throw new Error('the server is started by describeOnNats');
  return server;
}

export function freshDeployment(): string {
  return `test_${randomBytes(6).toString('hex')}`;
}

export function openLink(onStatus?: (message: string) => void): Promise<NatsLink> {
  return NatsLink.open({ url: natsServer().url, ...(onStatus !== undefined && { onStatus }) });
}
