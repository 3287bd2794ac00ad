/**
 * Makes certificates for tests: X.509 v3 in DER, written by hand over node:crypto, so that no key lies in the repository and no
 * openssl is needed.
 */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

export interface MadeCertificate {
  /** PEM. */
  readonly certificate: string;
  /** PEM, PKCS #8. */
  readonly key: string;
}

export interface CertificateRequest {
  readonly commonName: string;
  readonly dnsNames?: readonly string[];
  readonly ipv4?: readonly string[];
  readonly notAfter?: Date;
}

const DAY_MS = 86_400_000;
const ECDSA_WITH_SHA256 = sequence(objectId('1.2.840.10045.4.3.2'));

export class CertificateAuthority {
  readonly certificate: string;
  private readonly privateKey: KeyObject;

  constructor(private readonly name = 'Test Authority') {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    this.privateKey = privateKey;
    this.certificate = this.issue(
      name,
      publicKey,
      [extension('2.5.29.19', sequence(tagged(0x01, Buffer.from([0xff]))), true)],
      new Date(Date.now() + 3_650 * DAY_MS),
    );
  }

  make(request: CertificateRequest): MadeCertificate {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const names = [
      ...(request.dnsNames ?? []).map((dnsName) => tagged(0x82, Buffer.from(dnsName))),
      ...(request.ipv4 ?? []).map((address) => tagged(0x87, Buffer.from(address.split('.').map(Number)))),
    ];
    const extensions = names.length === 0 ? [] : [extension('2.5.29.17', sequence(...names), false)];
    const certificate = this.issue(request.commonName, publicKey, extensions, request.notAfter ?? new Date(Date.now() + 365 * DAY_MS));
    return { certificate, key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
  }

  private issue(commonName: string, publicKey: KeyObject, extensions: readonly Buffer[], notAfter: Date): string {
    const serial = Buffer.concat([Buffer.from([0x01]), randomBytes(8)]);
    const notBefore = new Date(Math.min(Date.now(), notAfter.getTime()) - 2 * DAY_MS);
    const body = sequence(
      tagged(0xa0, tagged(0x02, Buffer.from([2]))),
      tagged(0x02, serial),
      ECDSA_WITH_SHA256,
      nameOf(this.name),
      sequence(time(notBefore), time(notAfter)),
      nameOf(commonName),
      publicKey.export({ type: 'spki', format: 'der' }),
      ...(extensions.length === 0 ? [] : [tagged(0xa3, sequence(...extensions))]),
    );
    const signature = tagged(0x03, Buffer.concat([Buffer.from([0]), sign('sha256', body, this.privateKey)]));
    const base64 = sequence(body, ECDSA_WITH_SHA256, signature).toString('base64');
    return `-----BEGIN CERTIFICATE-----\n${base64.replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`;
  }
}

function tagged(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const header = length < 0x80 ? [tag, length] : length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(header), content]);
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tagged(0x30, Buffer.concat(parts));
}

function objectId(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const part of rest) {
    const septets = [part & 0x7f];
    for (let left = part >>> 7; left > 0; left >>>= 7) septets.unshift((left & 0x7f) | 0x80);
    bytes.push(...septets);
  }
  return tagged(0x06, Buffer.from(bytes));
}

function nameOf(commonName: string): Buffer {
  return sequence(tagged(0x31, sequence(objectId('2.5.4.3'), tagged(0x0c, Buffer.from(commonName)))));
}

function extension(id: string, value: Buffer, critical: boolean): Buffer {
  return sequence(objectId(id), ...(critical ? [tagged(0x01, Buffer.from([0xff]))] : []), tagged(0x04, value));
}

/** GeneralizedTime, without fractions. */
function time(date: Date): Buffer {
  return tagged(
    date.getUTCFullYear() < 2_050 ? 0x17 : 0x18,
    Buffer.from(
      `${date
        .toISOString()
        .replace(/[-:T]|\.\d+/g, '')
        .slice(date.getUTCFullYear() < 2_050 ? 2 : 0)}`,
    ),
  );
}
