/** The driver makes its connections by an option that its types leave out: those of its pool and that of its monitor alike. */
import { FailingConnection } from './failing-connection';
import { describeOnMongo, freshDatabase } from './test/fresh-database';

describeOnMongo('connections of the driver', () => {
  test('fail their writes when they close', async () => {
    const commands = jest.spyOn(FailingConnection.prototype, 'command');
    const database = await freshDatabase();
    const connection = await database.connect();
    await connection.db.command({ ping: 1 });
    expect(new Set(commands.mock.contexts.map(({ id }) => id))).toEqual(new Set(['<monitor>', 1]));
    await database.dispose();
  });
});
