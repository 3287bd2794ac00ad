/** The driver makes its connections by an option that its types leave out: those of its pool and that of its monitor alike. */
import { describeOnMongo, freshDatabase } from './test/fresh-database';

const mockMade: unknown[] = [];
jest.mock('./failing-connection', () => {
  const { FailingConnection } = jest.requireActual('./failing-connection');
  return {
    FailingConnection: class extends FailingConnection {
      constructor(socket: unknown, options: { readonly id: unknown }) {
        super(socket, options);
        mockMade.push(options.id);
      }
    },
  };
});

describeOnMongo('connections of the driver', () => {
  test('fail their writes when they close', async () => {
    const database = await freshDatabase();
    const connection = await database.connect();
    await connection.db.command({ ping: 1 });
    expect(mockMade).toEqual(['<monitor>', 1]);
    await database.dispose();
  });
});
