import { fileDescriptors, splitFileDescriptorSet } from './descriptors';

/** Field 1 of a FileDescriptorProto is its name, and buf writes it first. */
function nameOf(file: Buffer): string {
  return file.toString('utf8', 2, 2 + (file[1] as number));
}

test('every proto file of ours is there, and every file that it needs', () => {
  const names = fileDescriptors().map(nameOf);
  expect(names).toEqual(
    expect.arrayContaining([
      'google/protobuf/timestamp.proto',
      'google/protobuf/any.proto',
      'google/rpc/error_details.proto',
      'google/rpc/status.proto',
      'grpc/health/v1/health.proto',
      'grpc/reflection/v1/reflection.proto',
      'grpc/reflection/v1alpha/reflection.proto',
      'sluice/account/v1/account.proto',
      'sluice/account/v1/command_service.proto',
      'sluice/account/v1/query_service.proto',
      'sluice/log/v1/log_service.proto',
      'sluice/projection/v1/projection_service.proto',
      'sluice/scheduler/v1/scheduler_service.proto',
    ]),
  );
  expect(new Set(names).size).toBe(names.length);
});

test('the files are the bytes of the set, nothing is encoded anew', () => {
  const files = fileDescriptors();
  const set = Buffer.concat(files.flatMap((file) => [lengthPrefix(file.length), file]));
  expect(splitFileDescriptorSet(set)).toEqual(files);
});

test('what is no set is refused', () => {
  expect(() => splitFileDescriptorSet(Buffer.from('hello'))).toThrow('not a FileDescriptorSet');
  expect(() => splitFileDescriptorSet(Buffer.from([0x0a, 5, 1, 2]))).toThrow('ends in the middle');
  expect(() => splitFileDescriptorSet(Buffer.from([0x0a]))).toThrow('ends in the middle');
  expect(splitFileDescriptorSet(Buffer.alloc(0))).toEqual([]);
});

function lengthPrefix(length: number): Buffer {
  const bytes = [0x0a];
  let rest = length;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return Buffer.from([...bytes, rest]);
}
