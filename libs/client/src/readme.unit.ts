/** The table of the README has every method of every client. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SluiceClient } from './sluice-client';

const README = readFileSync(join(__dirname, '..', 'README.md'), 'utf8');

const client = new SluiceClient();
afterAll(() => client.close());

test.each(['accounts', 'businessDays', 'contests', 'products', 'reservations', 'tasks', 'log', 'projection', 'scheduler'] as const)('client.%s', (name) => {
  const row = README.split('\n').find((line) => line.startsWith(`| \`client.${name}\` |`)) ?? '';
  const named = [...row.matchAll(/`(\w+)`/g)].map(([, method]) => method);
  const methods = Object.getOwnPropertyNames(Object.getPrototypeOf(client[name])).filter((method) => method !== 'constructor' && !method.endsWith('Page'));
  expect(named.filter((method) => method !== 'atomic').sort()).toEqual(methods.sort());
});
