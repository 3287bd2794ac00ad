/** What every `Keyring` promises. */
import type { Keyring } from '@sluice/ports';
import { hex, patternBytes } from './pattern-bytes';

/** One keyring's storage, fresh for a test. */
export interface KeyringFixture {
  /** Opens the keyring, with the same secret every time. */
  open(): Promise<Keyring>;
  /** Closes what is open and removes the storage. */
  dispose(): Promise<void>;
}

export function keyringContract(name: string, makeFixture: () => Promise<KeyringFixture>): void {
  describe(`keyring contract: ${name}`, () => {
    let fixture: KeyringFixture;
    let keyring: Keyring;

    beforeEach(async () => {
      fixture = await makeFixture();
      keyring = await fixture.open();
    });

    afterEach(() => fixture.dispose());

    const loaded = async (keyId: string): Promise<string | undefined> => {
      const key = await keyring.load(keyId);
      return key && hex(key);
    };

    test('a key is loaded by the id that storing it gave', async () => {
      const keyId = await keyring.store('account', patternBytes(1, 32));
      expect(await loaded(keyId)).toBe(hex(patternBytes(1, 32)));
      expect(await keyring.load('unknown')).toBeUndefined();
    });

    test('the id is that of the account and the key: a repeat gives the same one', async () => {
      const keyId = await keyring.store('account', patternBytes(1, 32));
      expect(await keyring.store('account', patternBytes(1, 32))).toBe(keyId);
      const others = [await keyring.store('account', patternBytes(2, 32)), await keyring.store('another', patternBytes(1, 32))];
      expect(new Set([keyId, ...others]).size).toBe(3);
    });

    test('a key is in memory once it was stored or loaded', async () => {
      expect(keyring.cached('unknown')).toBeUndefined();
      const keyId = await keyring.store('account', patternBytes(1, 32));
      expect(hex(keyring.cached(keyId) as Uint8Array)).toBe(hex(patternBytes(1, 32)));
      await keyring.close();
      keyring = await fixture.open();
      expect(keyring.cached(keyId)).toBeUndefined();
      expect(await loaded(keyId)).toBe(hex(patternBytes(1, 32)));
      expect(hex(keyring.cached(keyId) as Uint8Array)).toBe(hex(patternBytes(1, 32)));
    });

    test('the caller may change its bytes afterwards', async () => {
      const key = patternBytes(1, 32);
      const keyId = await keyring.store('account', key);
      key.fill(0);
      expect(await loaded(keyId)).toBe(hex(patternBytes(1, 32)));
    });

    test('keys stored at the same time are all there', async () => {
      const keyIds = await Promise.all(Array.from({ length: 50 }, (_, at) => keyring.store(`account-${at}`, patternBytes(at, 16 + at))));
      for (const [at, keyId] of keyIds.entries()) expect(await loaded(keyId)).toBe(hex(patternBytes(at, 16 + at)));
    });
  });
}
