import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { accountKey } from '@sluice/ports';
import { keyringContract, patternBytes } from '@sluice/testing';
import { SqliteKeyring, type SqliteKeyringOptions } from './sqlite-keyring';

/** A folder of its own, and the keyrings that were opened in it. */
class Workplace {
  readonly folder = mkdtempSync(join(tmpdir(), 'sluice-keyring-'));
  readonly secretFile = join(this.folder, 'keyring.key');
  readonly #opened: SqliteKeyring[] = [];

  async open(secret: SqliteKeyringOptions['secret'] = { file: this.secretFile }): Promise<SqliteKeyring> {
    const keyring = await SqliteKeyring.open({ file: join(this.folder, 'keyring.db'), secret });
    this.#opened.push(keyring);
    return keyring;
  }

  async remove(): Promise<void> {
    await Promise.all(this.#opened.map((keyring) => keyring.close()));
    rmSync(this.folder, { recursive: true });
  }
}

keyringContract('sqlite', async () => {
  const workplace = new Workplace();
  return { open: () => workplace.open(), dispose: () => workplace.remove() };
});

describe('the keyring on SQLite', () => {
  let workplace: Workplace;

  beforeEach(() => {
    workplace = new Workplace();
  });

  afterEach(() => workplace.remove());

  test('makes its secret once, for its owner only', async () => {
    await (await workplace.open()).close();
    expect(statSync(workplace.secretFile).mode & 0o777).toBe(0o600);
    const secret = readFileSync(workplace.secretFile, 'utf8');
    await workplace.open();
    expect(readFileSync(workplace.secretFile, 'utf8')).toBe(secret);
  });

  test('no file but the secret itself says anything about a key', async () => {
    const keyring = await workplace.open({ value: 'a secret from the configuration' });
    const key = patternBytes(3, 32);
    await keyring.store([accountKey('account', key)]);
    await keyring.close();
    for (const name of readdirSync(workplace.folder)) expect(readFileSync(join(workplace.folder, name)).includes(Buffer.from(key))).toBe(false);
  });

  test('another secret, a short one and a lost one are refused', async () => {
    await (await workplace.open()).close();
    await expect(workplace.open({ value: 'not the secret of this keyring' })).rejects.toThrow(/sealed under another secret/);
    await expect(workplace.open({ value: 'short' })).rejects.toThrow(/at least 16 characters/);
    const secret = readFileSync(workplace.secretFile);
    rmSync(workplace.secretFile);
    await expect(workplace.open()).rejects.toThrow(/put back .*keyring\.key/);
    writeFileSync(workplace.secretFile, secret);
    await workplace.open();
  });
});
