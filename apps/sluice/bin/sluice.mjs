#!/usr/bin/env node
/** `npx sluice …` from the workspace: builds first where nothing has been built yet, then is the program. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));
if (!existsSync(main)) {
  const { prepare } = await import('../../../tools/prepare/prepare.mjs');
  prepare({ build: 'apps/sluice/tsconfig.lib.json' });
}
createRequire(import.meta.url)(main);
