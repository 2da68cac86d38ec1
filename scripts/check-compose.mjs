// Whether Compose would take its files, as far as that can be told without Docker: they follow its schema, what they
// mount is here, images are those that the tests use, and the server takes the variables that they give it.
import { existsSync, readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { CORE_SCHEMA, load, mergeTag } from 'js-yaml';
import { BUILT_IN, choicesOf } from '../dist/apps/server/src/seams.js';
import { loadSettings, SettingsError } from '../dist/apps/server/src/settings/index.js';

/** As Compose reads it, which merges. */
const YAML = CORE_SCHEMA.withTags(mergeTag);
/** Those that the tests build of Go modules. */
const PROGRAMS = { consul: 'github.com/hashicorp/consul', etcd: 'go.etcd.io/etcd/server/v3' };

/** What is said of a file that is not good, by the file. */
const problems = [];

const schema = JSON.parse(readFileSync('scripts/vendor/compose-spec/compose-spec.json', 'utf8'));
// Its formats are Compose's own.
const isCompose = new Ajv2020({ strict: false, validateFormats: false, allErrors: true }).compile(schema);

function compose(file) {
  const content = load(readFileSync(file, 'utf8'), { schema: YAML });
  if (!isCompose(content)) {
    for (const { instancePath, message } of isCompose.errors) problems.push(`${file}: ${instancePath} ${message}`);
  }
  return content.services;
}

const services = compose('docker-compose.yml');
const tested = compose('docker-compose.test.yml');

for (const [name, { image, build, volumes = [], ports = [], environment, profiles }] of Object.entries(services)) {
  const complain = (what) => problems.push(`docker-compose.yml: ${name}: ${what}`);
  if (!profiles) complain('is of no profile, so it would start beside any of them');
  for (const path of volumes.map((volume) => volume.split(':')[0])) {
    if (path.startsWith('.') && !existsSync(path)) complain(`mounts ${path}, which is not there`);
  }
  for (const port of ports) if (!port.startsWith('127.0.0.1:')) complain(`publishes ${port} beyond this host`);
  if (build === undefined && !/:v?\d+\.\d+/.test(image)) complain(`${image} is of no version`);
  if (name in PROGRAMS && !image.endsWith(versionOf(name))) complain(`${image}, but tests build ${versionOf(name)}`);
  if (name in tested && tested[name].image !== image) complain(`${image}, but tests use ${tested[name].image}`);
  if (build !== undefined) for (const problem of problemsOf(environment)) complain(problem);
}

function versionOf(program) {
  const module = readFileSync(`test/servers/modules/${program}/go.mod`, 'utf8');
  return new RegExp(`^require ${PROGRAMS[program]} v(\\S+)`, 'm').exec(module)[1];
}

/** As the image would start with them. */
function problemsOf(environment) {
  const given = Object.entries(environment).map(([name, value]) => [name, value.replace(/^\$\{.*\}$/, 'x'.repeat(32))]);
  try {
    return loadSettings({ ENVIRONMENT: 'production', ...Object.fromEntries(given) }, choicesOf(BUILT_IN)).warnings;
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return [error.message];
  }
}

for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;
else console.log('docker-compose.yml and docker-compose.test.yml are what Compose takes');
