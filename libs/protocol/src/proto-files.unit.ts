import { fileDescriptors } from './descriptors';
import { ProtoFiles } from './proto-files';

const files = new ProtoFiles(fileDescriptors());

/** Field 1 of a FileDescriptorProto is its name, and buf writes it first. */
function nameOf(file: Buffer): string {
  return file.toString('utf8', 2, 2 + (file[1] as number));
}

test.each`
  symbol                                                          | file
  ${'sluice.account.v1.AccountCommandService'}                    | ${'sluice/account/v1/command_service.proto'}
  ${'sluice.account.v1.AccountCommandService.PostBatch'}          | ${'sluice/account/v1/command_service.proto'}
  ${'sluice.account.v1.Posting'}                                  | ${'sluice/account/v1/account.proto'}
  ${'sluice.account.v1.Posting.amount_minor'}                     | ${'sluice/account/v1/account.proto'}
  ${'sluice.account.v1.PostingType'}                              | ${'sluice/account/v1/account.proto'}
  ${'sluice.account.v1.PostingType.POSTING_TYPE_CREDIT'}          | ${'sluice/account/v1/account.proto'}
  ${'grpc.health.v1.HealthCheckResponse.ServingStatus'}           | ${'grpc/health/v1/health.proto'}
  ${'grpc.health.v1.HealthListResponse.StatusesEntry.value'}      | ${'grpc/health/v1/health.proto'}
  ${'grpc.reflection.v1.ServerReflectionRequest'}                 | ${'grpc/reflection/v1/reflection.proto'}
  ${'grpc.reflection.v1.ServerReflectionRequest.message_request'} | ${'grpc/reflection/v1/reflection.proto'}
`('$symbol is declared by $file', ({ symbol, file }: { symbol: string; file: string }) => {
  const found = files.bySymbol(symbol) ?? [];
  expect(nameOf(found[0] as Buffer)).toBe(file);
  expect(found).toEqual(files.byName(file));
});

test('a file comes with all that it imports, each once, as it is in the set', () => {
  const found = files.byName('sluice/account/v1/command_service.proto') ?? [];
  const names = found.map(nameOf);
  expect(names[0]).toBe('sluice/account/v1/command_service.proto');
  expect(names).toEqual(expect.arrayContaining(['sluice/account/v1/account.proto', 'google/protobuf/timestamp.proto']));
  expect(new Set(names).size).toBe(names.length);
  for (const file of found) expect(fileDescriptors()).toContain(file);
});

test('what no file declares is not found', () => {
  expect(files.bySymbol('sluice.account.v1.Nothing')).toBeUndefined();
  expect(files.bySymbol('')).toBeUndefined();
  expect(files.byName('nothing.proto')).toBeUndefined();
});
