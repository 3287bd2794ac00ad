/** deploy/Dockerfile: what the image starts, as whom, and what gets into it. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfiguration, WELL_KNOWN_PORTS } from '@sluice/service';
import { DEPLOY } from './deploy-folder';
import { imageDefaults, imageStage, readStages } from './dockerfile';

const BASE = 'docker.io/library/node:22-bookworm-slim';
const METRICS_PORT = 9464;

test('it is built in a stage of its own, and both stages have the same base', () => {
  expect(readStages().map(({ base }) => base)).toEqual([BASE, BASE]);
});

test('from the build it takes the files of the image and nothing else', () => {
  const copied = imageStage().instructions.filter(({ name }) => name === 'COPY' || name === 'ADD');
  expect(copied.map(({ rest }) => rest)).toEqual(['--from=build /image /sluice']);
  const [build] = readStages();
  expect(build?.instructions.at(-1)?.rest).toMatch(/&& node deploy\/image-files\.mjs \/image$/);
});

test('nothing is installed or downloaded in the stage that is shipped', () => {
  const run = imageStage().instructions.filter(({ name }) => name === 'RUN');
  expect(run.map(({ rest }) => rest).join(' ')).not.toMatch(/npm|apt|curl|wget/);
});

test('the program is the launcher, started without a shell, so that signals reach it; without arguments it serves', () => {
  const { entrypoint, command, healthcheck } = imageDefaults();
  expect({ entrypoint, command, healthcheck }).toEqual({ entrypoint: ['sluice'], command: ['serve'], healthcheck: ['sluice', 'health'] });
});

test('it runs as a user that is not root, given as a number', () => {
  expect(imageDefaults().user).toMatch(/^[1-9]\d*:[1-9]\d*$/);
});

test('its variables are a valid configuration', () => {
  expect(() => loadConfiguration(imageDefaults().environment)).not.toThrow();
});

test('it names the ports of the services and of the metrics', () => {
  expect(imageDefaults().ports).toEqual([...Object.values(WELL_KNOWN_PORTS), METRICS_PORT]);
});

test.each(['**/node_modules', '**/dist', '**/.env', '.git', '.sluice'])('%s is not sent to the builder', (pattern) => {
  expect(readFileSync(join(DEPLOY, 'Dockerfile.dockerignore'), 'utf8').split('\n')).toContain(pattern);
});

test('every file of the workspace that the Dockerfile names is there', () => {
  const named = readFileSync(join(DEPLOY, 'Dockerfile'), 'utf8').match(/deploy\/[\w.-]+/g) ?? [];
  expect(named.filter((path) => !existsSync(join(DEPLOY, '..', path)))).toEqual([]);
});
