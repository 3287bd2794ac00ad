import { EXIT, PlainFailure } from './exit-code';
import { workspaceTool } from './workspace-tool';

function notFound(packageName: string): Error {
  return Object.assign(new Error(`Cannot find package '${packageName}' imported from /sluice/apps/sluice/dist/cli.js`), { code: 'ERR_MODULE_NOT_FOUND' });
}

test('a tool that is installed is loaded', async () => {
  expect(await workspaceTool('@sluice/bench', async () => 'the tool')).toBe('the tool');
});

test('one that is not ends in a plain line that says where it is to be had', async () => {
  const failure = await workspaceTool('@sluice/bench', () => Promise.reject(notFound('@sluice/bench'))).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(PlainFailure);
  expect(failure).toMatchObject({ message: expect.stringMatching(/^@sluice\/bench is a tool of the workspace/), exitCode: EXIT.usage });
});

test.each([notFound('pg'), new Error('out of memory')])('any other failure stays what it is: %s', async (error) => {
  await expect(workspaceTool('@sluice/bench', () => Promise.reject(error))).rejects.toBe(error);
});
