/** What every `Keyring` promises. */
import { accountKey, type AccountKey, type Keyring } from '@sluice/ports';
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

    const key = accountKey('account', patternBytes(1, 32));

    test('a key is loaded by its id', async () => {
      await keyring.store([key]);
      expect(await loaded(key.keyId)).toBe(hex(key.key));
      expect(await keyring.load('unknown')).toBeUndefined();
    });

    test('which keys are missing is told by what is stored, whatever is in memory', async () => {
      const keys = Array.from({ length: 2_500 }, (_, at) => accountKey(`account-${at}`, patternBytes(at, 16)));
      const keyIds = keys.map(({ keyId }) => keyId);
      expect(await keyring.missing(keyIds)).toEqual(keyIds);
      await keyring.store(keys.filter((_, at) => at % 5 !== 0));
      expect((await keyring.missing(keyIds)).sort()).toEqual(keyIds.filter((_, at) => at % 5 === 0).sort());
      await keyring.store(keys);
      expect(await keyring.missing(keyIds)).toEqual([]);
      expect(await keyring.missing([])).toEqual([]);
    });

    test('the id is that of the account and the key', () => {
      expect(accountKey('account', patternBytes(1, 32)).keyId).toBe(key.keyId);
      const others = [accountKey('account', patternBytes(2, 32)), accountKey('another', patternBytes(1, 32))];
      expect(new Set([key, ...others].map(({ keyId }) => keyId)).size).toBe(3);
    });

    test('a key is in memory from the moment on at which it is stored, and once it was loaded', async () => {
      expect(keyring.cached(key.keyId)).toBeUndefined();
      const stored = keyring.store([key]);
      expect(hex(keyring.cached(key.keyId) as Uint8Array)).toBe(hex(key.key));
      await stored;
      await keyring.close();
      keyring = await fixture.open();
      expect(keyring.cached(key.keyId)).toBeUndefined();
      expect(await loaded(key.keyId)).toBe(hex(key.key));
      expect(hex(keyring.cached(key.keyId) as Uint8Array)).toBe(hex(key.key));
    });

    test('a key for another purpose is the same whenever the keyring is opened, and another one for each purpose', async () => {
      const derived = hex(keyring.derivedKey('a purpose'));
      expect(derived).toHaveLength(64);
      expect(hex(keyring.derivedKey('another purpose'))).not.toBe(derived);
      await keyring.close();
      keyring = await fixture.open();
      expect(hex(keyring.derivedKey('a purpose'))).toBe(derived);
    });

    test('the caller may change its bytes afterwards', async () => {
      const bytes = patternBytes(1, 32);
      const copied = accountKey('account', bytes);
      bytes.fill(0);
      await keyring.store([copied]);
      expect(await loaded(copied.keyId)).toBe(hex(patternBytes(1, 32)));
    });

    test('a batch of keys is stored whole: those that are there stay, and one may come twice', async () => {
      const batch = Array.from({ length: 2_000 }, (_, at) => accountKey(`account-${at}`, patternBytes(at, 16 + (at % 48))));
      await keyring.store(batch.slice(0, 700));
      await keyring.store([...batch, ...batch.slice(1_900)]);
      await keyring.store([]);
      await keyring.close();
      keyring = await fixture.open();
      for (const at of [0, 699, 700, 1_255, 1_256, 1_999]) expect(await loaded((batch[at] as AccountKey).keyId)).toBe(hex((batch[at] as AccountKey).key));
    });

    test('batches that are stored at the same time are all there, also where they hold the same keys', async () => {
      const batch = Array.from({ length: 50 }, (_, at) => accountKey(`account-${at}`, patternBytes(at, 16)));
      const other = await fixture.open();
      await Promise.all([keyring.store(batch), other.store(batch), ...batch.map((one) => keyring.store([one]))]);
      for (const { keyId, key: bytes } of batch) expect(await loaded(keyId)).toBe(hex(bytes));
    });
  });
}
