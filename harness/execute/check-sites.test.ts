/** @file What is asked of subjects before a run needs no weights. */
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { packageRoot } from '../paths.ts';
import type { Plan } from '../plan.ts';
import { openRegistry, type Registry } from '../registry.ts';
import { openDataset } from '../suite/resolve-dataset.ts';
import { checkSites } from './check-sites.ts';

const test = suite('execute/check-sites');

/** The package's plug-ins, whose families refuse to load. */
function weightless(): Registry {
  const registry = openRegistry();
  const load = () => Promise.reject(new Error('weights were loaded'));
  const get: Registry['get'] = async (kind, id) => {
    const definition = await registry.get(kind, id);
    return definition.kind === 'subject' ? { ...definition, load } : definition;
  };
  return { ...registry, get };
}

async function planOf(site: string): Promise<Plan> {
  const dataset = { id: 'text-world', options: { train: 1, eval: 1 }, seed: 0 };
  const { fingerprint } = await openDataset(await openRegistry().get('dataset', dataset.id), dataset, { baseDir: '' });
  const subject = {
    id: 'tiny-lm-planted',
    fingerprint: 'f',
    family: 'llama@1',
    dataset: { ...dataset, fingerprint },
    concepts: {},
    training: {},
  };
  return { sites: [{ subject, site, fits: [] }] } as unknown as Plan;
}

test('sites and sizes are known without loading weights', async () => {
  const { signal } = new AbortController();
  const places = {
    'tiny-lm-planted@f': { folder: join(packageRoot, 'models/pretrained/tiny-lm-planted'), baseDir: '' },
  };
  const run = { registry: weightless(), places, signal };
  const small = await checkSites(await planOf('blocks.2.hook_resid_post'), run);
  assert.equal([...small], ['tiny-lm-planted']);
  const error = await checkSites(await planOf('blocks.9.hook_resid_post'), run).catch((e: Error) => e);
  assert.match((error as Error).message, /unknown site of tiny-lm-planted 'blocks\.9\.hook_resid_post'/);
});

test.run();
