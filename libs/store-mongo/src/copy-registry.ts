/**
 * Which copies of the read collections there are: the collection `read_copies`. One document, "in-force", names the copy that
 * everybody reads, the copy that a rebuild fills, and the switch under way between the two. Every step of a rebuild is one
 * conditional write of that document, so that of two rebuilds, or of a rebuild and a projector that gave it up, one succeeds. One
 * document per copy besides says since when the copy was replaced, so that leftovers are found.
 *
 *   in-force: copy A
 *     ── a rebuild begins ──────► copy A, filling B                  (a copy that was filled before is abandoned)
 *     ── its switch begins ─────► copy A, filling B, switch to B     (A is closed to projectors)
 *     ── activated ─────────────► copy B                             (A is replaced, and removed after the grace time)
 *     ── or the switch is ended ► copy A, filling B                  (A is open again)
 */
import { randomBytes } from 'node:crypto';

import { CopyAbandonedError, type CopySwitch, SwitchEndedError } from '@sluice/ports';
import { type Collection, type Db, MongoServerError } from 'mongodb';

import { DUPLICATE_KEY } from './log-identity-document';
import { tellingUnavailable } from './read-failure';

const IN_FORCE = 'in-force';
const NAME_PREFIX = 'copy_';
const MARK_BYTES = 8;

export interface CopyIdentity {
  readonly incarnation: string;
  readonly partitions: number;
}

/** What the document "in-force" says; without identity where the copy was made before anybody knew the log. */
export interface CopyInForce extends Partial<CopyIdentity> {
  readonly copy: string;
}

/** Whether a copy may be written to. */
export type CopyState = 'filling' | 'in force' | 'switching' | 'neither';

interface RegistryDocument {
  /** "in-force", or the name of a copy. */
  readonly _id: string;
  readonly copy?: string;
  readonly incarnation?: string;
  readonly partitions?: number;
  readonly filling?: CopyIdentity & { readonly copy: string };
  readonly switch?: CopySwitch;
  readonly state?: 'replaced';
  readonly since?: Date;
}

export class CopyRegistry {
  readonly #documents: Collection<RegistryDocument>;

  constructor(private readonly db: Db) {
    this.#documents = db.collection<RegistryDocument>('read_copies');
  }

  async inForce(): Promise<CopyInForce | undefined> {
    const document = await this.#read();
    if (document?.copy === undefined) return undefined;
    const { copy, incarnation, partitions } = document;
    return { copy, ...(incarnation !== undefined && { incarnation }), ...(partitions !== undefined && { partitions }) };
  }

  async stateOf(copy: string): Promise<CopyState> {
    const document = await this.#read();
    if (document?.filling?.copy === copy) return 'filling';
    if (document?.copy !== copy) return 'neither';
    return document.switch === undefined ? 'in force' : 'switching';
  }

  /** Registers a copy that is not in force yet, under a name that no other has. */
  async add(now: Date): Promise<string> {
    const name = newName(now);
    await this.#documents.insertOne({ _id: name, since: now });
    return name;
  }

  /** Puts the copy in force if none is; false: another one was faster. */
  async putFirst(copy: string, identity: CopyIdentity | undefined): Promise<boolean> {
    try {
      await this.#documents.insertOne({ _id: IN_FORCE, copy, ...identity });
      return true;
    } catch (error) {
      if (error instanceof MongoServerError && error.code === DUPLICATE_KEY) return false;
      throw error;
    }
  }

  /** Says which log the copy in force is made from, where that was not known yet. */
  async identify(identity: CopyIdentity): Promise<void> {
    await this.#documents.updateOne({ _id: IN_FORCE, incarnation: { $exists: false } }, { $set: { ...identity } });
  }

  /** Registers a copy that a rebuild fills, in place of the one that another rebuild filled. There must be a copy in force. */
  async beginFilling(identity: CopyIdentity, now: Date): Promise<string> {
    const copy = newName(now);
    const { matchedCount } = await this.#documents.updateOne({ _id: IN_FORCE }, { $set: { filling: { copy, ...identity } }, $unset: { switch: '' } });
    if (matchedCount === 0) throw new Error('no copy of the read store is in force');
    await this.#documents.insertOne({ _id: copy, since: now });
    return copy;
  }

  async beginSwitch(copy: string): Promise<CopySwitch> {
    const begun = { copy, mark: newMark() };
    const { matchedCount } = await this.#documents.updateOne({ _id: IN_FORCE, 'filling.copy': copy }, { $set: { switch: begun } });
    if (matchedCount === 0) throw new CopyAbandonedError(copy);
    return begun;
  }

  async continueSwitch(seen: CopySwitch): Promise<CopySwitch> {
    const continued = { copy: seen.copy, mark: newMark() };
    const { matchedCount } = await this.#documents.updateOne(asSeen(seen), { $set: { switch: continued } });
    if (matchedCount === 0) throw new SwitchEndedError(seen.copy);
    return continued;
  }

  async switchUnderWay(): Promise<CopySwitch | undefined> {
    return (await this.#read())?.switch;
  }

  async endSwitch(seen: CopySwitch): Promise<void> {
    await this.#documents.updateOne(asSeen(seen), { $unset: { switch: '' } });
  }

  /** Puts the copy of the switch in force; returns the name of the copy that it replaced. */
  async activate(seen: CopySwitch, now: Date): Promise<string | undefined> {
    const { copy } = seen;
    const before = await this.#read();
    if (before?.filling?.copy !== copy) throw new SwitchEndedError(copy);
    const { incarnation, partitions } = before.filling;
    const { matchedCount } = await this.#documents.updateOne(asSeen(seen), {
      $set: { copy, incarnation, partitions },
      $unset: { filling: '', switch: '' },
    });
    if (matchedCount === 0) throw new SwitchEndedError(copy);
    if (before.copy !== undefined) await this.#documents.updateOne({ _id: before.copy }, { $set: { state: 'replaced', since: now } }, { upsert: true });
    return before.copy;
  }

  /** Copies that never come in force (again): those of abandoned rebuilds, and those that were replaced before the moment. */
  async leftovers(replacedBefore: Date): Promise<string[]> {
    const registered = await this.#documents.find({ _id: { $ne: IN_FORCE } }).toArray();
    const found = (await this.db.listCollections({}, { nameOnly: true }).toArray()).flatMap(({ name }) => copyOfCollection(name) ?? []);
    // Read last: a copy that was found is named here, unless it was given up.
    const inUse = await this.#read();
    const kept = registered.filter(({ state, since }) => state === 'replaced' && since !== undefined && since > replacedBefore).map(({ _id }) => _id);
    const wanted = new Set([...kept, inUse?.copy, inUse?.filling?.copy]);
    return [...new Set([...registered.map(({ _id }) => _id), ...found])].filter((copy) => !wanted.has(copy));
  }

  async forget(copy: string): Promise<void> {
    await this.#documents.deleteOne({ _id: copy });
  }

  async #read(): Promise<RegistryDocument | undefined> {
    return (await tellingUnavailable(this.#documents.findOne({ _id: IN_FORCE }))) ?? undefined;
  }
}

/** The document "in-force" while the switch is as it was seen. */
function asSeen({ copy, mark }: CopySwitch): Record<string, string> {
  return { _id: IN_FORCE, 'switch.copy': copy, 'switch.mark': mark };
}

function newName(now: Date): string {
  return `${NAME_PREFIX}${now.getTime().toString(36)}${randomBytes(3).toString('hex')}`;
}

function newMark(): string {
  return randomBytes(MARK_BYTES).toString('hex');
}

/** Name of the copy that the collection belongs to; undefined: it belongs to none. */
function copyOfCollection(collection: string): string | undefined {
  return /^(copy_[a-z0-9]+)_/.exec(collection)?.[1];
}
