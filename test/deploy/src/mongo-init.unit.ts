/** deploy/mongo-init.js: at the first start, at every later one, and whichever member is the primary. */
import { FakeReplicaSet, runMongoInit } from './mongo-init-script';

const ENVIRONMENT = {
  MONGO_ROOT_PASSWORD: 'of root: p@ss/word',
  MONGO_LOG_PASSWORD: 'of-the-log',
  MONGO_LOG_READER_PASSWORD: 'of-the-reader',
  MONGO_READ_PASSWORD: 'of-the-read-store',
};
const USERS = ['sluice_log.sluice_log', 'sluice_log.sluice_log_reader', 'sluice_read.sluice_read'];

test('at the first start it forms the set and makes the users', () => {
  const set = new FakeReplicaSet();
  runMongoInit(set, ENVIRONMENT);
  expect(set.members).toEqual(['mongo-1:27017', 'mongo-2:27017', 'mongo-3:27017']);
  expect(set.changes).toEqual(['form', ...USERS.map((user) => `create ${user}`)]);
});

test.each([0, 1, 2])('member %i is the primary: it comes up', (primary) => {
  const set = FakeReplicaSet.formed(primary);
  runMongoInit(set, ENVIRONMENT);
  expect([...set.users.keys()]).toEqual(USERS);
});

test('run again it makes nothing twice, and a password that was changed in the configuration is that of the user', () => {
  const set = FakeReplicaSet.formed(1);
  runMongoInit(set, ENVIRONMENT);
  set.changes.length = 0;
  runMongoInit(set, { ...ENVIRONMENT, MONGO_READ_PASSWORD: 'another-one' });
  expect(set.changes).toEqual(USERS.map((user) => `update ${user}`));
  expect(set.users.get('sluice_read.sluice_read')?.pwd).toBe('another-one');
});

test('while no member is the primary it waits for the election', () => {
  const set = FakeReplicaSet.formed(undefined);
  set.waited = (times) => {
    if (times === 5) set.primary = 2;
  };
  runMongoInit(set, ENVIRONMENT);
  expect([...set.users.keys()]).toEqual(USERS);
  expect(set.changes).not.toContain('form');
});

test('a member that is not reachable yet is waited for', () => {
  const set = new FakeReplicaSet();
  const connect = set.connect.bind(set);
  set.connect = () => {
    throw new Error('connect ECONNREFUSED');
  };
  set.waited = () => {
    set.connect = connect;
  };
  runMongoInit(set, ENVIRONMENT);
  expect(set.changes[0]).toBe('form');
});

test('without a primary it fails in the end, so that it is started again', () => {
  expect(() => runMongoInit(FakeReplicaSet.formed(undefined), ENVIRONMENT)).toThrow('the replica set has no primary after 60 attempts');
});

test('a password may have any characters, and none is printed', () => {
  const set = new FakeReplicaSet();
  set.rootPassword = ENVIRONMENT.MONGO_ROOT_PASSWORD;
  const printed = runMongoInit(set, ENVIRONMENT);
  expect(set.users.size).toBe(USERS.length);
  for (const password of Object.values(ENVIRONMENT)) expect(printed).not.toContain(password);
});
