// What the packages that are installed, as package-lock.json has them, say of themselves.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'));

/** The folder of the package that a file belongs to; none for a file of ours. */
export function packageOf(file) {
  return /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0];
}

/** The folders of the packages named and of all that they depend on. */
export function closure(names) {
  const found = new Set();
  const add = (name, from) => {
    const path = resolve(name, from);
    if (path === undefined || found.has(path)) return;
    found.add(path);
    const { dependencies = {}, optionalDependencies = {} } = packages[path];
    for (const each of Object.keys({ ...dependencies, ...optionalDependencies })) add(each, path);
  };
  for (const name of names) add(name, '');
  return [...found];
}

/** As Node looks for it, from the folder of the package that asks; none for an optional one that is not there. */
function resolve(name, from) {
  for (let folder = from; ; folder = folder.replace(/\/?(?:node_modules\/)?[^/]*$/, '')) {
    const path = join(folder, 'node_modules', name);
    if (path in packages) return path;
    if (folder === '') return undefined;
  }
}

/** A bill of materials of the packages in these folders: CycloneDX 1.6, the same for the same lockfile. */
export function bill(own, paths) {
  const components = paths.map((path) => {
    const { name } = described(path);
    const { version, license, integrity } = packages[path];
    return {
      type: 'library',
      'bom-ref': path,
      ...(name.startsWith('@') ? { group: name.split('/')[0] } : {}),
      name: name.split('/').at(-1),
      version,
      purl: `pkg:npm/${name.replace('@', '%40')}@${version}`,
      ...licensed(license),
      ...(integrity ? { hashes: [hash(integrity)] } : {}),
    };
  });
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      component: { type: 'application', name: own.name, version: own.version, ...licensed(own.license) },
    },
    components,
  };
}

function licensed(license) {
  if (license === undefined) return {};
  return { licenses: [/[ (]/.test(license) ? { expression: license } : { license: { id: license } }] };
}

function hash(integrity) {
  const [algorithm, digest] = integrity.split('-');
  return { alg: algorithm.replace('sha', 'SHA-'), content: Buffer.from(digest, 'base64').toString('hex') };
}

/** The licences of the packages in these folders, which must go wherever their code goes. */
export function licenses(paths) {
  return paths
    .map((path) => `${described(path).name} ${packages[path].version}\n\n${licenseText(path)}`)
    .join(`\n${'-'.repeat(80)}\n`);
}

function licenseText(path) {
  const file = readdirSync(path).find((name) => /^licen[cs]e/i.test(name));
  return file === undefined ? `${packages[path].license}\n` : readFileSync(join(path, file), 'utf8');
}

function described(path) {
  return JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'));
}
