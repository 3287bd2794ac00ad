/** Our proto files by their names and by what they declare, read from the raw descriptors. Only the names in them are decoded. */
import { BinaryReader } from '@bufbuild/protobuf/wire';

/** Fields of descriptor.proto. The name is the first of every declaration. */
const NAME = 1;
const FILE = { package: 2, dependency: 3 } as const;

/** Declarations within a declaration, by the field that holds them. */
interface Kind {
  readonly within: Readonly<Record<number, Kind>>;
}
const MEMBER: Kind = { within: {} };
const ENUM: Kind = { within: { 2: MEMBER } };
const SERVICE: Kind = { within: { 2: MEMBER } };
const MESSAGE: { readonly within: Record<number, Kind> } = { within: { 2: MEMBER, 4: ENUM, 8: MEMBER } };
MESSAGE.within[3] = MESSAGE;
const DECLARED: Readonly<Record<number, Kind>> = { 4: MESSAGE, 5: ENUM, 6: SERVICE };

interface ProtoFile {
  readonly descriptor: Buffer;
  readonly dependencies: readonly string[];
}

export class ProtoFiles {
  private readonly files = new Map<string, ProtoFile>();
  /** Full name of a message, field, enum, enum value, service or method → name of its file. */
  private readonly symbols = new Map<string, string>();

  constructor(descriptors: readonly Buffer[]) {
    for (const descriptor of descriptors) this.add(descriptor);
  }

  /** The file and all that it imports, itself first; undefined: there is no such file. */
  byName(name: string): Buffer[] | undefined {
    if (!this.files.has(name)) return undefined;
    const found = new Set([name]);
    // A set is walked through in the order of insertion, what is added on the way included.
    for (const each of found) for (const dependency of this.files.get(each)?.dependencies ?? []) found.add(dependency);
    return [...found].flatMap((each) => this.files.get(each)?.descriptor ?? []);
  }

  /** The file that declares it and all that it imports; undefined: none does. */
  bySymbol(fullName: string): Buffer[] | undefined {
    const file = this.symbols.get(fullName);
    return file === undefined ? undefined : this.byName(file);
  }

  private add(descriptor: Buffer): void {
    const reader = new BinaryReader(descriptor);
    let [name, scope] = ['', ''];
    const dependencies: string[] = [];
    const declared: (readonly [Kind, Uint8Array])[] = [];
    while (reader.pos < reader.len) {
      const [field, type] = reader.tag();
      const kind = DECLARED[field];
      if (field === NAME) name = reader.string();
      else if (field === FILE.package) scope = reader.string();
      else if (field === FILE.dependency) dependencies.push(reader.string());
      else if (kind !== undefined) declared.push([kind, reader.bytes()]);
      else reader.skip(type, field);
    }
    this.files.set(name, { descriptor, dependencies });
    for (const [kind, bytes] of declared) this.declare(kind, bytes, scope, name);
  }

  private declare({ within }: Kind, bytes: Uint8Array, scope: string, file: string): void {
    const reader = new BinaryReader(bytes);
    let name = '';
    const declared: (readonly [Kind, Uint8Array])[] = [];
    while (reader.pos < reader.len) {
      const [field, type] = reader.tag();
      const kind = within[field];
      if (field === NAME) name = reader.string();
      else if (kind !== undefined) declared.push([kind, reader.bytes()]);
      else reader.skip(type, field);
    }
    const fullName = scope === '' ? name : `${scope}.${name}`;
    this.symbols.set(fullName, file);
    for (const [kind, inner] of declared) this.declare(kind, inner, fullName, file);
  }
}
