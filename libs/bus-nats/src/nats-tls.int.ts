import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { haveServer, type RunningServer, startNats } from '@sluice/infra';
import { NatsLink, NatsUnavailableError } from './nats-link';
import { type Certificates, haveOpenssl, makeCertificates } from './test/certificates';

(haveServer('nats', { external: false }) && haveOpenssl() ? describe : describe.skip)('connection to a NATS server that asks for certificates', () => {
  let folder: string;
  let certificates: Certificates;
  let server: RunningServer;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-nats-'));
    certificates = makeCertificates(folder);
    const { caFile, server: own } = certificates;
    const configuration = `tls { cert_file: ${JSON.stringify(own.certFile)}, key_file: ${JSON.stringify(own.keyFile)}, ca_file: ${JSON.stringify(caFile)}, verify: true }`;
    server = await startNats({ dataDir: join(folder, 'data'), external: false, configuration });
  });
  afterAll(async () => {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const secure = (): string => server.url.replace('nats://', 'tls://');

  test('both sides show theirs, and the bus works', async () => {
    const link = await NatsLink.open({ url: secure(), tls: { caFile: certificates.caFile, ...certificates.client } });
    expect(link.connected).toBe(true);
    expect(link.describe).toBe(secure());
    await link.close();
  });

  test.each`
    why                                 | tls
    ${'no certificate is shown'}        | ${() => ({ caFile: certificates.caFile })}
    ${'the server is not one we trust'} | ${() => ({ ...certificates.client })}
  `('no connection when $why', async ({ tls }) => {
    await expect(NatsLink.open({ url: secure(), tls: tls() })).rejects.toBeInstanceOf(NatsUnavailableError);
  });
});
