/**
 * The secret that a keyring is sealed under: given by the configuration, or made at the first start and kept in a file
 * that only its owner may read. Who backs up the keyring backs up this file too, elsewhere.
 */
import { randomBytes, scryptSync } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { SEALING_KEY_BYTES } from './sealed-box';

/** A shorter secret is refused. */
const SECRET_MINIMUM_LENGTH = 16;
/** scrypt's cost, about 50 ms: the secret may be a pass phrase. */
const SCRYPT_COST = { N: 16_384, r: 8, p: 1 } as const;

/** The secret does not fit the keyring, or is missing. */
export class KeyringSecretError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'KeyringSecretError';
  }
}

/** The sealing key of a secret; the salt is the keyring's own. */
export function sealingKey(secret: string, salt: Uint8Array): Uint8Array {
  if (secret.length < SECRET_MINIMUM_LENGTH) throw new KeyringSecretError(`the secret of the keyring must have at least ${SECRET_MINIMUM_LENGTH} characters`);
  return scryptSync(secret, salt, SEALING_KEY_BYTES, SCRYPT_COST);
}

/** Reads the secret from the file; makes one where there is none and `mayMake` says so. */
export function secretFromFile(file: string, mayMake: boolean): string {
  if (existsSync(file)) return readFileSync(file, 'utf8').trim();
  if (!mayMake) throw new KeyringSecretError(`the secret of the keyring is missing: put back ${file}, without it no signing key can be read`);
  const secret = randomBytes(SEALING_KEY_BYTES).toString('hex');
  writeWhole(file, `${secret}\n`);
  syncFolder(dirname(file));
  return secret;
}

/** The file appears with all of its text or not at all: a start that finds no room in the middle must not leave half a secret. */
function writeWhole(file: string, text: string): void {
  const unfinished = `${file}.new`;
  try {
    const descriptor = openSync(unfinished, 'w', 0o600);
    try {
      writeFileSync(descriptor, text);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(unfinished, file);
  } finally {
    rmSync(unfinished, { force: true });
  }
}

/** The file's name must be on the disk before anything is sealed under its content. Windows has no such thing. */
function syncFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
