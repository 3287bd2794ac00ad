/** The table of accounts against a plain map: while snapshots are taken in steps, after cold accounts were packed away, and from blocks. */
import { NO_LIMITS, type Account } from '@sluice/domain/account';
import { hashSeeds, keyedHash } from '@sluice/engine';
import * as fc from 'fast-check';
import { AccountTable } from './account-table';
import { AtomicTrial } from './atomic-trial';

const seeds = hashSeeds(Buffer.from('the secret of the tests'), Buffer.alloc(16));

function account(accountId: string): Account {
  return {
    accountId,
    unit: 'EUR',
    branchId: 'north',
    product: '',
    status: 'OPEN',
    limits: NO_LIMITS,
    signingKeyId: '',
    linkedAccountId: '',
    balanceMinor: 0n,
    heldMinor: 0n,
    holds: new Map(),
    holdExpiries: new Map(),
    inTransitMinor: 0n,
    entryCount: 0,
    rejectionCount: 0,
    version: 1,
    openedAtUs: 1_767_225_600_000_000,
    balanceUpdatedAtUs: 1_767_225_600_000_000,
  };
}

function find(table: AccountTable, accountId: string): number {
  const id = Buffer.from(`before ${accountId} after`);
  const at = 'before '.length;
  const length = Buffer.byteLength(accountId);
  return table.find(keyedHash(seeds, id, at, at + length), id, at, length);
}

interface Plain {
  balanceMinor: bigint;
  heldMinor: bigint;
  holds: [string, bigint][];
  version: number;
}

function plain({ balanceMinor, heldMinor, holds, version }: Account): Plain {
  return { balanceMinor, heldMinor, holds: [...holds], version };
}

/** Ids whose account in the table is not that of the model. */
function differences(table: AccountTable, model: ReadonlyMap<string, Plain>): string[] {
  const text = ({ balanceMinor, heldMinor, holds, version }: Plain): string => `${balanceMinor} ${heldMinor} ${version} ${holds.join(' ')}`;
  return [...model].filter(([id, expected]) => text(plain(table.account(find(table, id)))) !== text(expected)).map(([id]) => id);
}

/** Changes an account in the table and in the model. */
function change(table: AccountTable, model: Map<string, Plain>, id: string, amount: bigint): void {
  const changed = table.touch(find(table, id));
  changed.balanceMinor += amount;
  changed.version += 1;
  if (amount % 3n === 0n) {
    changed.heldMinor += amount;
    changed.holds.set(`hold ${changed.version}`, amount);
  }
  model.set(id, plain(changed));
}

function restored(blocks: readonly Uint8Array[]): AccountTable {
  const table = new AccountTable(seeds);
  for (const block of blocks) table.restore(block);
  return table;
}

const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('change' as const), at: fc.nat(), amount: fc.bigInt({ min: -1_000n, max: 1_000n }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('add' as const), at: fc.constant(0), amount: fc.constant(0n) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('block' as const), at: fc.constant(0), amount: fc.constant(0n) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('giveUp' as const), at: fc.constant(0), amount: fc.constant(0n) }) },
);

test('a snapshot holds the accounts as they were when it began, whatever changes while it is taken', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 10, maxLength: 120 }), (steps) => {
      const table = new AccountTable(seeds);
      const model = new Map<string, Plain>();
      const ids: string[] = [];
      const add = (): void => {
        const id = `account ${ids.length}`;
        table.add(account(id));
        ids.push(id);
        model.set(id, plain(account(id)));
      };
      for (let at = 0; at < 5; at += 1) add();
      let begun: { session: ReturnType<AccountTable['beginSnapshot']>; blocks: Uint8Array[]; then: Map<string, Plain> } | undefined;
      for (const { kind, at, amount } of steps) {
        if (kind === 'add') add();
        else if (kind === 'change') change(table, model, ids[at % ids.length] as string, amount);
        else if (kind === 'giveUp') {
          begun?.session.end(false);
          begun = undefined;
        } else {
          begun ??= {
            session: table.beginSnapshot(),
            blocks: [],
            then: new Map([...model].map(([id, { holds, ...rest }]) => [id, { ...rest, holds: [...holds] }])),
          };
          const block = begun.session.next();
          if (block !== undefined) {
            begun.blocks.push(block);
            continue;
          }
          begun.session.end(true);
          expect(differences(restored(begun.blocks), begun.then)).toEqual([]);
          begun = undefined;
        }
      }
      expect(differences(table, model)).toEqual([]);
    }),
    { numRuns: 100 },
  );
});

test('many accounts: cut into blocks, changed between them, packed away when cold, found again', () => {
  const table = new AccountTable(seeds);
  const model = new Map<string, Plain>();
  const ids = Array.from({ length: 60_000 }, (_, at) => `{tenant-${at % 7}}-${at}`);
  for (const id of ids) {
    table.add(account(id));
    model.set(id, plain(account(id)));
  }
  for (let round = 0; round < 2; round += 1) {
    const then = new Map(model);
    const session = table.beginSnapshot();
    const blocks: Uint8Array[] = [];
    const sizes: number[] = [];
    for (let block = session.next(); block !== undefined; block = session.next()) {
      blocks.push(block);
      sizes.push(block.length);
      for (let at = 0; at < 200; at += 1) change(table, model, ids[(at * 7_919 + blocks.length * 104_729 + round) % ids.length] as string, BigInt(at));
    }
    session.end(true);
    expect(blocks.length).toBeGreaterThan(10);
    expect(Math.max(...sizes)).toBeLessThan(2 << 20);
    expect(differences(restored(blocks), then)).toEqual([]);
  }
  expect(differences(table, model)).toEqual([]);
  expect(find(table, 'nobody')).toBe(-1);
});

test('accounts with many holds make blocks of bounded size', () => {
  const table = new AccountTable(seeds);
  for (let at = 0; at < 200; at += 1) {
    const rich = account(`rich ${at}`);
    for (let hold = 0; hold < 500; hold += 1) rich.holds.set(`${'a long name of a hold '.repeat(3)}${hold}`, 1n);
    table.add(rich);
  }
  const session = table.beginSnapshot();
  const sizes: number[] = [];
  for (let block = session.next(); block !== undefined; block = session.next()) sizes.push(block.length);
  session.end(true);
  expect(sizes.length).toBeGreaterThan(5);
  expect(Math.max(...sizes)).toBeLessThan(2 << 20);
});

test('a trial takes back whatever a record holds', () => {
  const table = new AccountTable(seeds);
  const ordinal = table.add(account('alice'));
  table.add(account('bob'));
  const before = table.touch(ordinal);
  before.holds.set('first', 5n);
  const record = table.packed(ordinal);
  const trial = new AtomicTrial(table);
  trial.keep(ordinal);
  const tried = table.touch(ordinal);
  Object.assign(tried, {
    product: 'gold',
    status: 'FROZEN',
    limits: { ...NO_LIMITS, overdraftMinor: 9n },
    signingKeyId: 'key',
    linkedAccountId: 'current',
    balanceMinor: 7n,
    heldMinor: 3n,
    entryCount: 4,
    rejectionCount: 5,
    version: 6,
    balanceUpdatedAtUs: 1,
  });
  tried.holds.clear();
  trial.keep(ordinal);
  trial.undo();
  expect(Buffer.compare(table.packed(ordinal), record)).toBe(0);
  expect(table.account(ordinal)).toBe(tried);
});

test('names branch, product and unit of accounts, hot or packed, and has their balances then; none is unpacked by it', () => {
  const classes = Array.from({ length: 12 }, (_, at) => ({
    branchId: `branch ${at % 2}`,
    product: at % 3 === 0 ? '' : 'current',
    unit: at % 4 === 0 ? 'EUR' : 'CZK',
  }));
  const table = new AccountTable(seeds);
  for (const [at, of] of classes.entries()) {
    table.add({
      ...account(`account ${at}`),
      ...of,
      signingKeyId: at % 5 === 0 ? 'key' : '',
      balanceMinor: BigInt(at - 6) << 40n,
      limits: {
        overdraftMinor: 1n << 60n,
        allowedTypes: ['CREDIT', 'DEBIT'],
        ...(at % 2 === 0 && { maximumBalanceMinor: 1n << 61n }),
        ...(at % 3 === 0 && { maximumPostingMinor: 5n }),
      },
    });
  }
  const session = table.beginSnapshot();
  const blocks: Uint8Array[] = [];
  for (let block = session.next(); block !== undefined; block = session.next()) blocks.push(block);
  session.end(true);
  const packed = restored(blocks);
  for (const each of [table, packed]) {
    const seen: unknown[] = [];
    each.lookAtClasses((ordinal, { branchId, product, unit }) => seen.push([ordinal, { branchId, product, unit }, each.balanceAt(ordinal)]));
    expect(seen).toEqual(classes.map((of, at) => [at, of, BigInt(at - 6) << 40n]));
  }
});
