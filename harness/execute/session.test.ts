/** @file What a subject and its data were when the run was planned they must be when they are read. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { UserError } from '../errors.ts';
import { executePlan } from '../execute.ts';
import { openStore } from '../store.ts';
import { toyRegistry, toySuite } from '../testing/toy.ts';
import { prepareRun } from './run.ts';

const test = suite('session');
const folder = mkdtempSync(join(tmpdir(), 'saxbench-session-'));
test.after(() => rmSync(folder, { recursive: true }));

const documents = join(folder, 'texts.json');
const model = join(folder, 'toy-model');
const write = (words: string[]) => writeFileSync(documents, JSON.stringify(words));

/** Plans a run, changes something, and runs it. @returns The message of the user's error, and whether a step was stored. */
async function afterPlanning(change: () => void): Promise<[message: string | undefined, activations: boolean]> {
  write(Array.from({ length: 40 }, (_, i) => `document ${i}`));
  const registry = toyRegistry();
  const given = toySuite(folder);
  const subjects = given.subjects.map((each) => ({
    ...each,
    dataset: { id: 'stories', options: { path: documents } },
  }));
  const settings = { backend: 'cpu', limited: false, passed: [], settings: {}, say: () => {} };
  const { plan, places, provenance } = await prepareRun({ ...given, subjects }, registry, settings);
  change();
  const store = openStore(mkdtempSync(join(folder, 'store-')), () => {});
  const { signal } = new AbortController();
  const run = { registry, store, places, provenance, signal, say: () => {}, out: join(folder, 'out') };
  const message = await executePlan(plan, run, { showProgress: false, force: true }).then(
    () => undefined,
    (error: UserError) => error.message,
  );
  return [message, await store.has('activations', plan.sites[0]!.activations.train)];
}

test('a file of documents that changed is refused before anything is stored under the keys of the old one', async () => {
  const change = () => write(Array.from({ length: 40 }, (_, i) => `another ${i}`));
  assert.equal(await afterPlanning(change), [
    'dataset stories of toy-model: changed since the run was planned; run the command again.',
    false,
  ]);
});

test('so is a model whose files changed', async () => {
  const change = () => writeFileSync(join(model, 'model.safetensors'), 'other weights');
  assert.equal(await afterPlanning(change), [
    `subject ${model}: changed since the run was planned; run the command again.`,
    false,
  ]);
  rmSync(join(model, 'model.safetensors'));
});

test('written anew with the same content, nothing changed', async () => {
  const change = () => {
    write(Array.from({ length: 40 }, (_, i) => `document ${i}`));
    writeFileSync(join(model, 'config.json'), '{"model_type":"toy"}');
  };
  assert.equal(await afterPlanning(change), [undefined, true]);
});

test.run();
