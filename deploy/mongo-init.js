/**
 * Forms the replica set where there is none, and makes Sluice's users with their passwords and roles. For mongosh without a connection
 * (`--nodb`); compose.yaml runs it at every start. It can be run at any time: it works on whichever member is the primary, waits for
 * one to be elected, and leaves what is right as it is.
 */
const SET = 'sluice';
const MEMBERS = ['mongo-1:27017', 'mongo-2:27017', 'mongo-3:27017'];
const ATTEMPTS = 60;
const PAUSE_MS = 1000;

const { MONGO_ROOT_PASSWORD, MONGO_LOG_PASSWORD, MONGO_LOG_READER_PASSWORD, MONGO_READ_PASSWORD } = process.env;
const USERS = [
  { user: 'sluice_log', database: 'sluice_log', role: 'readWrite', password: MONGO_LOG_PASSWORD },
  { user: 'sluice_log_reader', database: 'sluice_log', role: 'read', password: MONGO_LOG_READER_PASSWORD },
  { user: 'sluice_read', database: 'sluice_read', role: 'readWrite', password: MONGO_READ_PASSWORD },
];

function connectAsRoot(hosts, option) {
  return connect(`mongodb://root:${encodeURIComponent(MONGO_ROOT_PASSWORD)}@${hosts}/admin?${option}&serverSelectionTimeoutMS=3000`);
}

/** Through the set, so that every change reaches the primary, whichever member that is. Throws while there is no primary. */
function makeUsers() {
  const primary = connectAsRoot(MEMBERS.join(','), `replicaSet=${SET}`);
  for (const { user, database, role, password } of USERS) {
    const target = primary.getSiblingDB(database);
    const rights = { pwd: password, roles: [{ role, db: database }] };
    if (target.getUser(user) === null) target.createUser({ user, ...rights });
    else target.updateUser(user, rights);
  }
}

/** Does nothing where there is a set already. On the first member: the image made the user root only there, and the others copy it. */
function formSet() {
  const first = connectAsRoot(MEMBERS[0], 'directConnection=true');
  if (first.hello().setName !== undefined) return;
  first.adminCommand({ replSetInitiate: { _id: SET, members: MEMBERS.map((host, index) => ({ _id: index, host })) } });
  print('formed the replica set');
}

/** True: the users are there. */
function attempt() {
  try {
    makeUsers();
    return true;
  } catch (error) {
    print(`no primary that takes the users yet: ${error.message}`);
  }
  try {
    formSet();
  } catch (error) {
    print(`the replica set cannot be formed yet: ${error.message}`);
  }
  return false;
}

let made = attempt();
for (let attempts = 1; !made && attempts < ATTEMPTS; attempts += 1) {
  sleep(PAUSE_MS);
  made = attempt();
}
if (!made) throw new Error(`the replica set has no primary after ${ATTEMPTS} attempts`);
print('the replica set has its users');
