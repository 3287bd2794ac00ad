/**
 * The accounts of one partition, in the engine's packed table (about a hundred bytes for a cold one). What changes with every posting is in
 * columns.
 */
import type { Account, AccountLimits, AccountStatus } from '@sluice/domain/account';
import { type HashSeeds, PackedTable, type RecordCodec } from '@sluice/engine';
import type { ByteReader, ByteWriter } from '@sluice/protocol';
import type { AccountClass } from './days/movements';
import { ACCOUNT_RECORD_VERSION, balanceIn, classEndIn, classIn, packAccount, signingKeyIdIn, unpackAccount } from './account-record';

/**
 * What changes with every posting, in columns: an account that held its balance as an object of its own would make the garbage collector
 * carry one more survivor per account and turn.
 */
class Amounts {
  balances = new BigInt64Array(0);
  held = new BigInt64Array(0);
  inTransit = new BigInt64Array(0);
}

const NO_HOLDS: ReadonlyMap<string, bigint> = new Map();
const NO_EXPIRIES: ReadonlyMap<string, number> = new Map();

/** An unpacked account; its amounts are in the columns. */
class TableAccount implements Account {
  accountId!: string;
  unit!: string;
  branchId!: string;
  product!: string;
  status!: AccountStatus;
  limits!: AccountLimits;
  signingKeyId!: string;
  linkedAccountId!: string;
  /** Undefined: none so far; most accounts never have one, and a map of its own for each is what the heap would mostly hold. */
  private ownHolds: Map<string, bigint> | undefined;
  private ownHoldExpiries: Map<string, number> | undefined;
  entryCount!: number;
  rejectionCount!: number;
  version!: number;
  openedAtUs!: number;
  balanceUpdatedAtUs!: number;

  constructor(
    private readonly amounts: Amounts,
    private readonly ordinal: number,
    account: Account,
  ) {
    this.take(account);
  }

  /** Becomes the account as it is said to be, in every field. */
  take(account: Account): void {
    this.accountId = account.accountId;
    this.unit = account.unit;
    this.branchId = account.branchId;
    this.product = account.product;
    this.status = account.status;
    this.limits = account.limits;
    this.signingKeyId = account.signingKeyId;
    this.linkedAccountId = account.linkedAccountId;
    this.ownHolds = account.holds.size === 0 ? undefined : account.holds;
    this.ownHoldExpiries = account.holdExpiries.size === 0 ? undefined : account.holdExpiries;
    this.entryCount = account.entryCount;
    this.rejectionCount = account.rejectionCount;
    this.version = account.version;
    this.openedAtUs = account.openedAtUs;
    this.balanceUpdatedAtUs = account.balanceUpdatedAtUs;
    this.balanceMinor = account.balanceMinor;
    this.heldMinor = account.heldMinor;
    this.inTransitMinor = account.inTransitMinor;
  }

  get holds(): Map<string, bigint> {
    this.ownHolds ??= new Map();
    return this.ownHolds;
  }

  /** The holds to look at: makes none where there are none. */
  get holdsToRead(): ReadonlyMap<string, bigint> {
    return this.ownHolds ?? NO_HOLDS;
  }

  get holdExpiries(): Map<string, number> {
    this.ownHoldExpiries ??= new Map();
    return this.ownHoldExpiries;
  }

  get holdExpiriesToRead(): ReadonlyMap<string, number> {
    return this.ownHoldExpiries ?? NO_EXPIRIES;
  }

  get balanceMinor(): bigint {
    return this.amounts.balances[this.ordinal] as bigint;
  }

  set balanceMinor(value: bigint) {
    this.amounts.balances[this.ordinal] = value;
  }

  get heldMinor(): bigint {
    return this.amounts.held[this.ordinal] as bigint;
  }

  set heldMinor(value: bigint) {
    this.amounts.held[this.ordinal] = value;
  }

  get inTransitMinor(): bigint {
    return this.amounts.inTransit[this.ordinal] as bigint;
  }

  set inTransitMinor(value: bigint) {
    this.amounts.inTransit[this.ordinal] = value;
  }
}

class AccountCodec implements RecordCodec<TableAccount> {
  readonly version = ACCOUNT_RECORD_VERSION;

  constructor(private readonly amounts: Amounts) {}

  pack(writer: ByteWriter, account: TableAccount): void {
    packAccount(writer, account, account.holdsToRead, account.holdExpiriesToRead);
  }

  unpack(accountId: string, body: ByteReader, version: number, ordinal: number): TableAccount {
    return new TableAccount(this.amounts, ordinal, unpackAccount(accountId, body, version));
  }

  takeBack(account: TableAccount, record: TableAccount): void {
    account.take(record);
  }

  grow(accounts: number): void {
    this.amounts.balances = grown(this.amounts.balances, accounts);
    this.amounts.held = grown(this.amounts.held, accounts);
    this.amounts.inTransit = grown(this.amounts.inTransit, accounts);
  }
}

export class AccountTable extends PackedTable<TableAccount> {
  private readonly amounts: Amounts;

  constructor(seeds: HashSeeds) {
    const amounts = new Amounts();
    super('accounts', seeds, new AccountCodec(amounts));
    this.amounts = amounts;
  }

  account(ordinal: number): TableAccount {
    return this.at(ordinal);
  }

  /** The balance of an account that was looked at since the process started. */
  balanceAt(ordinal: number): bigint {
    return this.amounts.balances[ordinal] as bigint;
  }

  /** Ids of the keys that the accounts of the ordinals [from, to) sign with. */
  signingKeyIds(from: number, to: number): string[] {
    const keyIds: string[] = [];
    const note = (keyId: string): void => void (keyId !== '' && keyIds.push(keyId));
    this.look(
      from,
      to,
      ({ signingKeyId }) => note(signingKeyId),
      (bytes, bodyAt) => note(signingKeyIdIn(bytes, bodyAt)),
    );
    return keyIds;
  }

  /**
   * Names branch, product and unit of every account, in the order of the ordinals; from then on its balance is in the column. None is unpacked by it. Packed accounts
   * that have all three in common get the same object.
   */
  lookAtClasses(note: (ordinal: number, of: AccountClass) => void): void {
    const classes = new ClassesInRecords();
    let ordinal = 0;
    this.look(
      0,
      this.size,
      (account) => note(ordinal++, account),
      (bytes, bodyAt) => {
        const end = classEndIn(bytes, bodyAt);
        this.amounts.balances[ordinal] = balanceIn(bytes, end);
        note(ordinal++, classes.of(bytes, bodyAt, end));
      },
    );
  }

  /** Takes the account's state over; the table's own object is what `account` and `touch` return from now on. */
  add(account: Account): number {
    return this.addUnder(Buffer.from(account.accountId, 'utf8'), (ordinal) => new TableAccount(this.amounts, ordinal, account));
  }
}

function grown(column: BigInt64Array, size: number): BigInt64Array<ArrayBuffer> {
  const result = new BigInt64Array(size);
  result.set(column);
  return result;
}

/** Classes as they stand in packed records, found by their bytes: no text is made of them for each account. */
class ClassesInRecords {
  private readonly byHash = new Map<number, { readonly bytes: Uint8Array; readonly at: number; readonly of: AccountClass }[]>();

  /** @param end where the class of the body that begins at `at` ends. */
  of(bytes: Uint8Array, at: number, end: number): AccountClass {
    let hash = 0;
    for (let index = at + 1; index < end; index += 1) hash = (Math.imul(hash, 31) + (bytes[index] as number)) | 0;
    let known = this.byHash.get(hash);
    if (known === undefined) {
      known = [];
      this.byHash.set(hash, known);
    }
    for (const each of known) if (sameBytes(bytes, at + 1, each.bytes, each.at + 1, end - at - 1)) return each.of;
    const of = classIn(bytes, at);
    known.push({ bytes, at, of });
    return of;
  }
}

/** What stands in front says how long it is, so that none is the beginning of another. */
function sameBytes(left: Uint8Array, leftAt: number, right: Uint8Array, rightAt: number, length: number): boolean {
  for (let index = 0; index < length; index += 1) if (left[leftAt + index] !== right[rightAt + index]) return false;
  return true;
}
