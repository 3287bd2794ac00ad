import { join } from 'node:path';

export const ROOT = join(__dirname, '../../..');
export const DEPLOY = join(ROOT, 'deploy');
