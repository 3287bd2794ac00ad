/** deploy/mongo-init.js, run as mongosh runs it, against a replica set of which only what the script needs is there. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { DEPLOY } from './deploy-folder';

interface Rights {
  readonly pwd: string;
  readonly roles: readonly { readonly role: string; readonly db: string }[];
}

interface ReplicaSetCommand {
  readonly replSetInitiate: { readonly _id: string; readonly members: readonly { readonly _id: number; readonly host: string }[] };
}

export class FakeReplicaSet {
  name = '';
  members: readonly string[] = [];
  /** Index of the primary; undefined: none is elected. */
  primary: number | undefined;
  /** By database and name. */
  readonly users = new Map<string, Rights>();
  readonly changes: string[] = [];
  rootPassword: string | undefined;
  /** Called when the script waits. */
  waited: (times: number) => void = () => undefined;

  /** Formed before, with its primary. */
  static formed(primary: number | undefined): FakeReplicaSet {
    const set = new FakeReplicaSet();
    set.form({ _id: 'sluice', members: ['mongo-1', 'mongo-2', 'mongo-3'].map((host, _id) => ({ _id, host: `${host}:27017` })) });
    set.primary = primary;
    set.changes.length = 0;
    return set;
  }

  connect(url: string): object {
    const [, password = '', hosts = '', options = ''] = /^mongodb:\/\/root:([^@]*)@([^/]+)\/admin\?(.*)$/.exec(url) ?? [];
    if (this.rootPassword !== undefined && decodeURIComponent(password) !== this.rootPassword) throw new Error('Authentication failed.');
    if (options.includes('directConnection=true')) return this.memberAt(hosts);
    const [, name] = /replicaSet=(\w+)/.exec(options) ?? [];
    if (this.primary === undefined || name !== this.name) throw new Error('Server selection timed out after 3000 ms');
    return this.primaryDatabase();
  }

  private memberAt(host: string): object {
    // The image makes root on the first member; the others know it once they have copied that one.
    if (this.name === '' && host !== 'mongo-1:27017') throw new Error('Authentication failed.');
    return {
      hello: () => ({
        setName: this.name === '' ? undefined : this.name,
        isWritablePrimary: this.primary !== undefined && this.members[this.primary] === host,
      }),
      adminCommand: ({ replSetInitiate }: ReplicaSetCommand) => this.form(replSetInitiate),
    };
  }

  private primaryDatabase(): object {
    const getSiblingDB = (database: string): object => ({
      getUser: (user: string) => this.users.get(`${database}.${user}`) ?? null,
      createUser: ({ user, ...rights }: Rights & { user: string }) => this.write('create', `${database}.${user}`, rights),
      updateUser: (user: string, rights: Rights) => this.write('update', `${database}.${user}`, rights),
    });
    return { getSiblingDB };
  }

  private write(what: string, user: string, rights: Rights): void {
    if (this.users.has(user) !== (what === 'update')) throw new Error(`cannot ${what} ${user}`);
    this.changes.push(`${what} ${user}`);
    this.users.set(user, JSON.parse(JSON.stringify(rights)) as Rights);
  }

  private form({ _id, members }: ReplicaSetCommand['replSetInitiate']): void {
    if (this.name !== '') throw new Error('already initialized');
    this.changes.push('form');
    this.name = _id;
    this.members = members.map(({ host }) => host);
    this.primary = 0;
  }
}

/** Returns what it printed; throws what it throws. */
export function runMongoInit(set: FakeReplicaSet, environment: Readonly<Record<string, string>>): string {
  let printed = '';
  let waits = 0;
  runInNewContext(readFileSync(join(DEPLOY, 'mongo-init.js'), 'utf8'), {
    process: { env: environment },
    connect: (url: string) => set.connect(url),
    print: (line: string) => {
      printed += `${line}\n`;
    },
    sleep: () => set.waited((waits += 1)),
  });
  return printed;
}
