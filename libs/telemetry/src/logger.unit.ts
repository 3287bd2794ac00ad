import { createLogger, type LogLevel } from './logger';
import { forgetSecrets, protectSecret, redact } from './redaction';

function loggerInto(lines: Record<string, unknown>[], level: LogLevel = 'info') {
  return createLogger({ service: 'test', level, destination: { write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>) } });
}

afterEach(forgetSecrets);

test('a line is one JSON object with time, level, service and message', () => {
  const lines: Record<string, unknown>[] = [];
  loggerInto(lines).warn({ partition: 3 }, 'the bus is gone');
  expect(lines).toEqual([{ level: 'warn', time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/), service: 'test', partition: 3, message: 'the bus is gone' }]);
});

test('an error keeps its type, message and stack', () => {
  const lines: Record<string, unknown>[] = [];
  loggerInto(lines).error({ error: new TypeError('no such thing') }, 'it failed');
  expect(lines[0]).toMatchObject({ error: { type: 'TypeError', message: 'no such thing', stack: expect.stringContaining('logger.unit') } });
});

test('below its level nothing is written', () => {
  const lines: Record<string, unknown>[] = [];
  loggerInto(lines, 'error').info('quiet');
  expect(lines).toEqual([]);
});

test.each`
  secret                                         | record
  ${'abc123secret'}                              | ${{ token: 'abc123secret' }}
  ${'abc123secret'}                              | ${{ request: { signingKey: 'abc123secret' } }}
  ${'hunter2'}                                   | ${{ url: 'mongodb://admin:hunter2@db.example:27017/sluice' }}
  ${'hunter2'}                                   | ${{ error: new Error('cannot reach nats://user:hunter2@bus:4222') }}
  ${'AbC.d-e_f'}                                 | ${{ header: 'Bearer AbC.d-e_f' }}
  ${'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln'} | ${{ text: 'token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln refused' }}
  ${'MIIEvQIBADAN'}                              | ${{ text: '-----BEGIN PRIVATE KEY-----\nMIIEvQIBADAN\n-----END PRIVATE KEY-----' }}
`('$secret is in no line', ({ secret, record }: { secret: string; record: Record<string, unknown> }) => {
  let text = '';
  createLogger({ service: 'test', destination: { write: (line) => void (text += line) } }).info(record, 'a line');
  expect(text).toContain('redacted');
  expect(text).not.toContain(secret);
});

test('a protected value is masked wherever it stands, escaped or not', () => {
  protectSecret('pa"ss\\word');
  let text = '';
  createLogger({ service: 'test', destination: { write: (line) => void (text += line) } }).info(
    { deep: { deeper: { value: 'x pa"ss\\word y' } } },
    'pa"ss\\word',
  );
  expect(text).not.toContain('ss\\\\word');
  expect(redact('say pa"ss\\word')).toBe('say [redacted]');
});

test('a short value is not protected: it would mask ordinary words', () => {
  protectSecret('on');
  expect(redact('on and on')).toBe('on and on');
});
