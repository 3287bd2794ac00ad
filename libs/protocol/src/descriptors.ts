/**
 * The descriptors of every proto file that our servers speak, as `buf build --as-file-descriptor-set` made them: what
 * server reflection hands out. They are cut out of the set byte by byte and never encoded anew, because decoders that do
 * not know an option lose it.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const FILE_NAME = 'descriptor.binpb';
/** Tag of `repeated FileDescriptorProto file = 1` in google.protobuf.FileDescriptorSet. */
const FILE_TAG = 0x0a;

/** Beside the code (in a bundle), or in the package's folder (from src and from dist alike). */
const PLACES = [__dirname, join(__dirname, '..')];

let loaded: readonly Buffer[] | undefined;

/** One encoded google.protobuf.FileDescriptorProto per proto file, dependencies first. Read once, then kept. */
export function fileDescriptors(): readonly Buffer[] {
  if (loaded === undefined) {
    const path = PLACES.map((folder) => join(folder, FILE_NAME)).find((candidate) => existsSync(candidate));
    if (path === undefined) throw new Error(`${FILE_NAME} is missing in ${PLACES.join(' and ')}: "npm run codegen" makes it`);
    loaded = Object.freeze(splitFileDescriptorSet(readFileSync(path)));
  }
  return loaded;
}

/** The files of an encoded FileDescriptorSet, as views of its bytes. Throws if the set has anything else in it. */
export function splitFileDescriptorSet(set: Buffer): Buffer[] {
  const files: Buffer[] = [];
  let at = 0;
  while (at < set.length) {
    if (set[at] !== FILE_TAG) throw new Error(`not a FileDescriptorSet: tag ${set[at]} at byte ${at}`);
    at += 1;
    let length = 0;
    let scale = 1;
    for (;;) {
      const byte = set[at];
      if (byte === undefined) throw new Error('the FileDescriptorSet ends in the middle');
      at += 1;
      length += (byte & 0x7f) * scale;
      if (byte < 0x80) break;
      scale *= 0x80;
    }
    if (at + length > set.length) throw new Error('the FileDescriptorSet ends in the middle');
    files.push(set.subarray(at, at + length));
    at += length;
  }
  return files;
}
