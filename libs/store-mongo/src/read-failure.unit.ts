import { MongoNetworkError, MongoServerError } from 'mongodb';
import { StoreUnavailableError } from '@sluice/ports';
import { tellingUnavailable } from './read-failure';

const ofServer = (code: number, errmsg: string): MongoServerError => new MongoServerError({ code, errmsg, message: errmsg });
const NO_INDEX = 'error processing query: planner returned error :: caused by :: hint provided does not correspond to an existing index';

test.each`
  failure                | error                              | told
  ${'a lost connection'} | ${new MongoNetworkError('closed')} | ${'the read store cannot be reached: closed'}
  ${'a deposed primary'} | ${ofServer(10_107, 'not primary')} | ${'the read store cannot answer now: not primary'}
  ${'a missing index'}   | ${ofServer(2, NO_INDEX)}           | ${`the read store lacks an index; the projector makes it: ${NO_INDEX}`}
`('$failure may pass, and keeps its cause', async ({ error, told }: { error: Error; told: string }) => {
  const failure = await tellingUnavailable(Promise.reject(error)).catch((caught: unknown) => caught);
  expect(failure).toEqual(new StoreUnavailableError(told, { cause: error }));
  expect((failure as Error).cause).toBe(error);
});

test.each`
  failure                  | error
  ${'a bad question'}      | ${ofServer(2, 'unknown operator')}
  ${'a missing right'}     | ${ofServer(13, 'not authorized')}
  ${'a programming error'} | ${new TypeError('of ours')}
`('$failure stays as it is', async ({ error }: { error: Error }) => {
  await expect(tellingUnavailable(Promise.reject(error))).rejects.toBe(error);
});
