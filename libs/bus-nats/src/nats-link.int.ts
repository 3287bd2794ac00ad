import { NatsLink, NatsUnavailableError } from './nats-link';
import { describeOnNats, natsServer } from './test/nats-for-tests';

const PASSWORD = 'open sesame';

describeOnNats(
  'connection to a NATS server that asks who we are',
  () => {
    const hostAndPort = (): string => new URL(natsServer().url).host;

    test.each`
      how                  | options
      ${'in options'}      | ${{ user: 'sluice', password: PASSWORD }}
      ${'before the host'} | ${{}}
    `('user and password $how', async ({ options }) => {
      const url = options.user === undefined ? `nats://sluice:${encodeURIComponent(PASSWORD)}@${hostAndPort()}` : `nats://${hostAndPort()}`;
      const link = await NatsLink.open({ url, ...options });
      expect(link.connected).toBe(true);
      expect(link.describe).toBe(`nats://${hostAndPort()}`);
      await link.close();
      expect(link.connected).toBe(false);
    });

    test('a wrong password is refused at once, and not told', async () => {
      const url = `nats://sluice:hunter2@${hostAndPort()}`;
      const error = await NatsLink.open({ url, wait: {} }).catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(NatsUnavailableError);
      expect(String(error)).not.toContain('hunter2');
      expect(String(error)).toContain(hostAndPort());
    });
  },
  { configuration: `authorization { user: "sluice", password: "${PASSWORD}" }` },
);

test('who waits for a server that is not there is told why, until told to stop', async () => {
  const stop = new AbortController();
  const lines: string[] = [];
  const onStatus = (line: string): void => {
    if (lines.push(line) === 2) stop.abort();
  };
  await expect(NatsLink.open({ url: 'nats://user:hunter2@127.0.0.1:1', onStatus, wait: { signal: stop.signal } })).rejects.toThrow(
    'NATS at nats://127.0.0.1:1',
  );
  expect(lines).toHaveLength(2);
  expect(lines.join()).not.toContain('hunter2');
});

test('a URL that is none is refused without repeating it', async () => {
  await expect(NatsLink.open({ url: 'http://user:hunter2@host' })).rejects.toThrow(/^the URL of NATS cannot be read/);
});
