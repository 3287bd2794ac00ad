/**
 * Which copies of the read collections there are, and which one is in force: the collection `read_copies`. One document,
 * "in-force", names the copy that everybody reads, so that a switch is one write; one document per copy says what became
 * of it, so that leftovers are found.
 *
 *   state     activated  another one activated  another rebuild begins        grace time over
 *   filling   in force   -                      removed (it was abandoned)    -
 *   in force  -          replaced               -                             -
 *   replaced  in force   -                      removed if its time is over   removed
 */
import { randomBytes } from 'node:crypto';

import { type Collection, type Db, MongoServerError } from 'mongodb';

import { DUPLICATE_KEY } from './log-identity-document';

const IN_FORCE = 'in-force';

export interface CopyIdentity {
  readonly incarnation: string;
  readonly partitions: number;
}

/** What the document "in-force" says; without identity where the copy was made before anybody knew the log. */
export interface CopyInForce extends Partial<CopyIdentity> {
  readonly copy: string;
}

interface RegistryDocument {
  /** "in-force", or the name of a copy. */
  readonly _id: string;
  readonly copy?: string;
  readonly incarnation?: string;
  readonly partitions?: number;
  readonly state?: 'filling' | 'inForce' | 'replaced';
  readonly since?: Date;
}

export class CopyRegistry {
  readonly #documents: Collection<RegistryDocument>;

  constructor(db: Db) {
    this.#documents = db.collection<RegistryDocument>('read_copies');
  }

  async inForce(): Promise<CopyInForce | undefined> {
    const document = await this.#documents.findOne({ _id: IN_FORCE });
    if (document?.copy === undefined) return undefined;
    const { copy, incarnation, partitions } = document;
    return { copy, ...(incarnation !== undefined && { incarnation }), ...(partitions !== undefined && { partitions }) };
  }

  /** Registers a copy that is being filled, under a name that no other has. */
  async add(now: Date): Promise<string> {
    const name = `copy_${now.getTime().toString(36)}${randomBytes(3).toString('hex')}`;
    await this.#documents.insertOne({ _id: name, state: 'filling', since: now });
    return name;
  }

  /** Puts the copy in force if none is; false: another one was faster. */
  async putFirst(copy: string, identity: CopyIdentity | undefined, now: Date): Promise<boolean> {
    try {
      await this.#documents.insertOne({ _id: IN_FORCE, copy, ...identity });
    } catch (error) {
      if (error instanceof MongoServerError && error.code === DUPLICATE_KEY) return false;
      throw error;
    }
    await this.#mark(copy, 'inForce', now);
    return true;
  }

  /** Says which log the copy in force is made from, where that was not known yet. */
  async identify(identity: CopyIdentity): Promise<void> {
    await this.#documents.updateOne({ _id: IN_FORCE, incarnation: { $exists: false } }, { $set: { ...identity } });
  }

  /** Puts the copy in force in place of what was; returns the name of what it replaced. */
  async switchTo(copy: string, identity: CopyIdentity, now: Date): Promise<string | undefined> {
    const replaced = (await this.inForce())?.copy;
    await this.#documents.updateOne({ _id: IN_FORCE }, { $set: { copy, ...identity } }, { upsert: true });
    await this.#mark(copy, 'inForce', now);
    if (replaced === undefined || replaced === copy) return undefined;
    await this.#mark(replaced, 'replaced', now);
    return replaced;
  }

  /** Copies that nobody needs: those of abandoned rebuilds, and those that were replaced before the moment. */
  async leftovers(replacedBefore: Date): Promise<string[]> {
    const inForce = (await this.inForce())?.copy;
    const documents = await this.#documents.find({ _id: { $nin: [IN_FORCE, ...(inForce === undefined ? [] : [inForce])] } }).toArray();
    return documents.filter(({ state, since }) => state !== 'replaced' || since === undefined || since <= replacedBefore).map(({ _id }) => _id);
  }

  async forget(copy: string): Promise<void> {
    await this.#documents.deleteOne({ _id: copy });
  }

  async #mark(copy: string, state: RegistryDocument['state'], since: Date): Promise<void> {
    await this.#documents.updateOne({ _id: copy }, { $set: { state, since } });
  }
}
