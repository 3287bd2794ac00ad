/** NATS with a configuration file of deploy/, on loopback ports and with its data in a folder. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { findNats, freePort } from '@sluice/infra';

export interface NatsFromConfiguration {
  /** HOST:PORT for clients. */
  readonly address: string;
  /** Where it says how it is. */
  readonly monitorUrl: string;
  stop(): Promise<void>;
}

/** @param text of the file; @param password what the variable in it holds */
export async function startNatsFrom(text: string, password: string, folder: string): Promise<NatsFromConfiguration> {
  const { program } = await findNats({ fetch: true, progress: () => undefined });
  const [port, monitorPort] = [await freePort(), await freePort()];
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'nats.conf');
  const here = { '0.0.0.0:4222': `127.0.0.1:${port}`, '0.0.0.0:8222': `127.0.0.1:${monitorPort}`, '"/data"': JSON.stringify(join(folder, 'data')) };
  writeFileSync(
    file,
    Object.entries(here).reduce((content, [from, to]) => {
      if (!content.includes(from)) throw new Error(`the configuration of NATS does not say ${from}`);
      return content.replace(from, to);
    }, text),
  );
  const child = spawn(program, ['--config', file], { env: { NATS_PASSWORD: password }, stdio: ['ignore', 'ignore', 'pipe'] });
  await ready(child);
  return {
    address: `127.0.0.1:${port}`,
    monitorUrl: `http://127.0.0.1:${monitorPort}`,
    stop: () =>
      new Promise((resolve) => {
        child.once('exit', () => resolve());
        child.kill('SIGTERM');
      }),
  };
}

function ready(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = '';
    if (child.stderr === null) return;
    createInterface({ input: child.stderr }).on('line', (line) => {
      said += `${line}\n`;
      if (line.includes('Server is ready')) resolve();
    });
    child.once('exit', () => reject(new Error(`NATS ended:\n${said}`)));
    child.once('error', reject);
  });
}
