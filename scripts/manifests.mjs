// Writes k8s/*.yaml, what the chart makes of its defaults, for `kubectl apply -f k8s/`; and k8s/optional/*.yaml.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import '../test/support/typescript.mjs';

const { manifests } = await import('../test/deploy/support/manifests.ts');

mkdirSync('k8s/optional', { recursive: true });
for (const [name, text] of Object.entries(await manifests())) writeFileSync(join('k8s', name), text);
