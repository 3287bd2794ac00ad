/** What every `LeaseTable` promises; several tables on one service are several processes. */
import type { LeaseTable, LeaseTableEntry, LeaseTableWatcher } from '@sluice/ports';

/** One lease service, fresh for a test. */
export interface LeaseTableFixture {
  /** Connects a process. */
  open(): Promise<LeaseTable>;
  /** Closes what is open and removes what was stored. */
  dispose(): Promise<void>;
}

const LIMIT_MS = 30_000;

/** Remembers what it is told, and lets tests wait for it. */
class Recorder implements LeaseTableWatcher {
  readonly snapshots: (readonly LeaseTableEntry[])[] = [];
  readonly changes: LeaseTableEntry[] = [];
  private waiting = (): void => undefined;

  snapshot(entries: readonly LeaseTableEntry[]): void {
    this.snapshots.push(entries);
    this.waiting();
  }

  changed(entry: LeaseTableEntry): void {
    this.changes.push(entry);
    this.waiting();
  }

  broken(error: Error): void {
    throw error;
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition())
      await new Promise<void>((resolve) => {
        this.waiting = resolve;
      });
  }
}

export function leaseTableContract(name: string, makeFixture: () => Promise<LeaseTableFixture>): void {
  describe(`lease table contract: ${name}`, () => {
    let fixture: LeaseTableFixture;
    let ann: LeaseTable;
    let ben: LeaseTable;

    beforeEach(async () => {
      fixture = await makeFixture();
      ann = await fixture.open();
      ben = await fixture.open();
    });
    afterEach(() => fixture.dispose());

    test('an entry is written only in place of the revision that the writer has seen', async () => {
      expect(await ben.get('lease/a', LIMIT_MS)).toBeUndefined();
      const first = await ann.put('lease/a', '"one"', 0, LIMIT_MS);
      expect(first).toBeGreaterThanOrEqual(1);
      expect(await ben.put('lease/a', '"other"', 0, LIMIT_MS)).toBeUndefined();
      expect(await ben.get('lease/a', LIMIT_MS)).toEqual({ key: 'lease/a', value: '"one"', revision: first });
      const second = await ben.put('lease/a', '"two"', first!, LIMIT_MS);
      expect(second).toBeGreaterThan(first!);
      expect(await ann.put('lease/a', '"late"', first!, LIMIT_MS)).toBeUndefined();
      expect(await ann.put('lease/b', '"x"', second!, LIMIT_MS)).toBeUndefined();
    });

    test('of many that write at the same time one succeeds', async () => {
      const outcomes = await Promise.all([ann, ben, ann, ben].map((table, at) => table.put('lease/a', `${at}`, 0, LIMIT_MS)));
      expect(outcomes.filter((revision) => revision !== undefined)).toHaveLength(1);
    });

    test('a watch tells what there is, then every change in order, whatever is in a key', async () => {
      const keys = ['lease/partition/0', 'session/größe 1.a*>=', 'lease/x'];
      for (const key of keys) await ann.put(key, '1', 0, LIMIT_MS);
      const recorder = new Recorder();
      const watch = ben.watch(recorder);
      await recorder.until(() => recorder.snapshots.length === 1);
      expect(recorder.snapshots[0]?.map(({ key }) => key).sort()).toEqual([...keys].sort());
      let revision = (await ann.get('lease/x', LIMIT_MS))!.revision;
      for (const [at, value] of ['2', '3', '4'].entries()) {
        revision = (await ann.put('lease/x', value, revision, LIMIT_MS))!;
        // A table keeps the newest value of a key only: one that is replaced before it is told is not told any more.
        await recorder.until(() => recorder.changes.length > at);
      }
      await ann.put('lease/new', '5', 0, LIMIT_MS);
      await recorder.until(() => recorder.changes.length === 4);
      expect(recorder.changes.map(({ key, value }) => [key, value])).toEqual([
        ['lease/x', '2'],
        ['lease/x', '3'],
        ['lease/x', '4'],
        ['lease/new', '5'],
      ]);
      expect(recorder.changes[2]?.revision).toBe(revision);
      await watch.stop();
    });

    test('a watch of an empty table says so', async () => {
      const recorder = new Recorder();
      const watch = ann.watch(recorder);
      await recorder.until(() => recorder.snapshots.length === 1);
      expect(recorder.snapshots).toEqual([[]]);
      await watch.stop();
    });

    test('a watch that is restarted tells again what there is, and goes on', async () => {
      const recorder = new Recorder();
      const watch = ann.watch(recorder);
      await recorder.until(() => recorder.snapshots.length === 1);
      await ben.put('lease/x', '1', 0, LIMIT_MS);
      watch.restart('the test wants it');
      await recorder.until(() => recorder.snapshots.length === 2);
      expect(recorder.snapshots[1]?.map(({ key }) => key)).toEqual(['lease/x']);
      const before = recorder.changes.length;
      await ben.put('lease/y', '1', 0, LIMIT_MS);
      await recorder.until(() => recorder.changes.length > before);
      expect(recorder.changes.at(-1)?.key).toBe('lease/y');
      await watch.stop();
    });
  });
}
