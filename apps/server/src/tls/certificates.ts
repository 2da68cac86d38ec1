import { createPrivateKey, X509Certificate } from 'node:crypto';
import { checkServerIdentity, createSecureContext, type PeerCertificate, type Server } from 'node:tls';
import type { Logger } from '#core';
import { WatchedFiles } from '../auth/watched-files.js';
import type { Settings } from '../settings/index.js';

/** What files may hold, and who reads them. In PEM, all of them. */
interface Material {
  readonly cert: string;
  readonly key: string;
  /** Who may have signed the certificates of other replicas; absent: the authorities of Node. */
  readonly ca?: string;
  /** Who may have signed the certificates of callers. */
  readonly clientCa?: string;
}

type Files = NonNullable<Settings['server']['tls']>;

const VARIABLES = {
  cert: 'TLS_CERT_FILE',
  key: 'TLS_KEY_FILE',
  ca: 'TLS_CA_FILE',
  clientCa: 'TLS_CLIENT_CA_FILE',
} as const;
type Kind = keyof typeof VARIABLES;

/** The files of TLS, and whoever goes by them, now and after each change. Its owner stops it. */
export class Certificates {
  private readonly files: WatchedFiles<Material>;
  private readonly followers: ((material: Material) => void)[] = [];

  private constructor(files: WatchedFiles<Material>) {
    this.files = files;
  }

  /** @throws Error that names the variables, their values and what is wrong. */
  static async open(files: Files, logger: Logger): Promise<Certificates> {
    const kinds = (Object.keys(VARIABLES) as Kind[]).filter((kind) => files[kind] !== undefined);
    let certificates: Certificates | undefined;
    try {
      const watched = await WatchedFiles.open({
        paths: kinds.map((kind) => files[kind]!),
        parse: (texts) => checked(Object.fromEntries(kinds.map((kind, i) => [kind, texts[i]])) as unknown as Material),
        changed: (material) => certificates?.tell(material),
        logger,
      });
      certificates = new Certificates(watched);
      return certificates;
    } catch (cause) {
      const named = kinds.map((kind) => `${VARIABLES[kind]}=${files[kind]}`).join(', ');
      throw new Error(`${named}: ${((cause as Error).cause as Error).message}`, { cause });
    }
  }

  /** Lets a server show the certificate, to connections that come. */
  serve(server: Server): void {
    this.follow((material) => server.setSecureContext(contextOf(material)));
  }

  follow(follower: (material: Material) => void): void {
    this.followers.push(follower);
    follower(this.files.value);
  }

  /** How another replica is known: by its address, or by a name that it shares with this one, as replicas of one secret do. */
  get ofReplicas(): { readonly ca: string | undefined; readonly checkServerIdentity: typeof checkServerIdentity } {
    const { ca, cert } = this.files.value;
    return { ca, checkServerIdentity: (host, peer) => identityProblem([host, ...namesIn(cert)], peer) };
  }

  /** Of the certificate that is shown: milliseconds since the epoch. */
  get validity(): { readonly from: number; readonly until: number } {
    const { validFrom, validTo } = new X509Certificate(this.files.value.cert);
    return { from: Date.parse(validFrom), until: Date.parse(validTo) };
  }

  stop(): void {
    this.files.stop();
  }

  private tell(material: Material): void {
    for (const follower of this.followers) follower(material);
  }
}

function contextOf({ cert, key, clientCa: ca }: Material) {
  return { cert, key, ca, minVersion: 'TLSv1.2' as const };
}

/** @throws Error that says which file is not good, and repeats nothing of it. */
function checked(material: Material): Material {
  const certificates = read('cert', () => certificatesIn(material.cert));
  const key = read('key', () => createPrivateKey(material.key));
  for (const kind of ['ca', 'clientCa'] as const)
    if (material[kind] !== undefined) read(kind, () => certificatesIn(material[kind]!));
  if (!certificates[0]!.checkPrivateKey(key)) throw new Error('TLS_KEY_FILE is not the key of TLS_CERT_FILE');
  // What OpenSSL takes no server by: a key that is too short, say.
  createSecureContext(contextOf(material));
  return material;
}

const WHAT: Readonly<Record<Kind, string>> = {
  cert: 'a certificate in PEM',
  key: 'a private key in PEM, without a passphrase',
  ca: 'certificates in PEM',
  clientCa: 'certificates in PEM',
};

function read<T>(kind: Kind, parse: () => T): T {
  try {
    return parse();
  } catch {
    throw new Error(`${VARIABLES[kind]} is not ${WHAT[kind]}`);
  }
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----/gs;

/** At least one. @throws Error */
function certificatesIn(pem: string): X509Certificate[] {
  const certificates = (pem.match(CERTIFICATE) ?? []).map((text) => new X509Certificate(text));
  if (certificates.length === 0) throw new Error('there is none');
  return certificates;
}

const DNS_NAME = /^DNS:([A-Za-z0-9.-]+)$/;

/** Names of hosts that the certificate is for; what is for several, by a star, is no name. */
function namesIn(pem: string): string[] {
  const parts = new X509Certificate(pem).subjectAltName?.split(', ') ?? [];
  return parts.flatMap((part) => DNS_NAME.exec(part)?.[1] ?? []);
}

function identityProblem(names: readonly string[], peer: PeerCertificate): Error | undefined {
  const problems = names.map((name) => checkServerIdentity(name, peer));
  return problems.includes(undefined) ? undefined : problems[0];
}
