// Forms the replica set and makes Sluice's users. Run again it changes nothing. For mongosh; see compose.yaml.
const members = ['mongo-1:27017', 'mongo-2:27017', 'mongo-3:27017'].map((host, _id) => ({ _id, host }));
try {
  rs.initiate({ _id: 'sluice', members });
} catch (error) {
  if (error.codeName !== 'AlreadyInitialized') throw error;
}
for (let waited = 0; !db.hello().isWritablePrimary; waited += 1) {
  if (waited > 60) throw new Error('mongo-1 did not become the primary');
  sleep(1000);
}

const password = process.env.MONGO_PASSWORD;
const users = [
  { user: 'sluice_log', database: 'sluice_log', role: 'readWrite' },
  { user: 'sluice_log_reader', database: 'sluice_log', role: 'read' },
  { user: 'sluice_read', database: 'sluice_read', role: 'readWrite' },
];
for (const { user, database, role } of users) {
  const target = db.getSiblingDB(database);
  if (target.getUser(user) === null) target.createUser({ user, pwd: password, roles: [{ role, db: database }] });
}
