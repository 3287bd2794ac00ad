/** Names of leases as keys of a bucket: letters, digits, - _ and / stay, every other byte becomes =HH. */
const PLAIN = /[A-Za-z0-9_/-]/;

export function encodeKey(name: string): string {
  const bytes = [...Buffer.from(name)];
  return bytes.map((byte) => (PLAIN.test(String.fromCharCode(byte)) ? String.fromCharCode(byte) : `=${byte.toString(16).padStart(2, '0')}`)).join('');
}

export function decodeKey(key: string): string {
  const bytes: number[] = [];
  for (let at = 0; at < key.length; at += 1) {
    if (key[at] === '=') {
      bytes.push(Number.parseInt(key.slice(at + 1, at + 3), 16));
      at += 2;
    } else {
      bytes.push(key.charCodeAt(at));
    }
  }
  return Buffer.from(bytes).toString();
}
