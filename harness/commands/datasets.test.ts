/** @file Datasets that do not fit, found by `validate`, `run` and `train` before anything is computed. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { mistake as mistakeOf, runCommand } from '../testing/command-line.ts';

const test = suite('commands/datasets');
const folder = mkdtempSync(join(tmpdir(), 'saxbench-datasets-'));
const store = join(folder, 'store');
test.after(() => rmSync(folder, { recursive: true }));

async function run(...passed: string[]): Promise<string> {
  const { code, out, said } = await runCommand(...passed);
  assert.is(code, 0);
  return out + said;
}

async function mistake(...passed: string[]): Promise<string> {
  const message = await mistakeOf(...passed);
  assert.not.ok(existsSync(join(store, 'steps')), 'nothing was computed');
  return message;
}

const TEXTS = { id: 'tiny-lm-planted', sites: ['blocks.2.hook_resid_post'], activations: { train: 8, test: 4 } };
const IMAGES = { ...TEXTS, id: 'tiny-clip', sites: ['vision.embed'] };

function suiteFile(subject: object): string {
  const file = join(folder, 'own.json');
  const content = { id: 'own', title: 'Own', subjects: [subject], methods: [{ id: 'pca' }] };
  writeFileSync(file, JSON.stringify({ ...content, tasks: [{ id: 'reconstruction' }] }));
  return file;
}

/** A dataset of texts whose concepts have these ids. */
function datasetFile(ids: string[]): string {
  // Node loads a file once: another content needs another place.
  const place = mkdtempSync(join(folder, 'plugin-'));
  const file = join(place, 'notes.ts');
  writeFileSync(
    file,
    `import { defineDataset } from 'saxbench';
    const item = (i) => ({ id: 'i' + i, text: 'text ' + i });
    const items = (from, n) => Array.from({ length: n }, (_, i) => item(from + i));
    export default defineDataset({ id: 'notes', title: 'Notes', version: 1, modality: 'text',
      options: { words: { type: 'integer', default: 5, description: 'W.' } },
      async open({ words }) { return { id: 'notes', modality: 'text', fingerprint: 'n' + words,
        corpus: async (split, n) => items(split === 'train' ? 0 : 1000, n),
        concepts: async () => ({ concepts: ${JSON.stringify(ids)}.map((id) => ({ id, label: id })),
          items: items(2000, 2), examples: [] }) }; } });`,
  );
  return file;
}

test('a dataset of images at a site of texts, and of texts at one of images', async () => {
  const images = suiteFile({ ...TEXTS, dataset: { id: 'image-world' } });
  const wrong =
    /subject tiny-lm-planted: site blocks\.2\.hook_resid_post: expected a dataset of texts; found image-world, of images/;
  assert.match(await mistake('validate', images), wrong);
  assert.match(await mistake('run', images, '--store', store, '--out', join(folder, 'out'), '--backend', 'cpu'), wrong);
  const texts = suiteFile({ ...IMAGES, dataset: { id: 'text-world' } });
  const other = /subject tiny-clip: site vision\.embed: expected a dataset of images; found text-world, of texts/;
  assert.match(await mistake('validate', texts), other);
  const given = ['--sae', 'topk', '--subject', 'tiny-clip', '--site', 'vision.embed', '--dataset', 'text-world'];
  assert.match(await mistake('train', ...given, '--store', store, '--backend', 'cpu'), other);
});

test('concepts that share an id', async () => {
  const plugin = ['--plugin', datasetFile(['tone', 'style', 'tone'])];
  const file = suiteFile({ ...TEXTS, dataset: { id: 'notes' } });
  const twice = /notes\.ts: concepts: concepts\[2\]\.id: expected one of its own; found "tone" twice/;
  assert.match(await mistake('validate', file, ...plugin), twice);
  assert.match(
    await mistake('run', file, ...plugin, '--store', store, '--out', join(folder, 'out'), '--backend', 'cpu'),
    twice,
  );
  assert.match(await run('validate', file, '--plugin', datasetFile(['tone', 'style'])), /valid: a suite: own/);
});

test('a dataset that cannot be opened is found by validate', async () => {
  const dataset = { id: 'stories', options: { path: './none.json' } };
  assert.match(await mistake('validate', suiteFile({ ...TEXTS, dataset })), /none\.json/);
});

test('train --dataset-option: checked, and part of what is trained', async () => {
  const sae = ['--sae', 'topk', '--subject', 'tiny-lm-planted', '--site', 'blocks.2.hook_resid_post'];
  const own = [...sae, '--dataset', 'notes', '--plugin', datasetFile(['tone']), '--store', store, '--backend', 'cpu'];
  const options = (...given: string[]) => given.flatMap((each) => ['--dataset-option', each]);
  assert.match(await mistake('train', ...own, ...options('wrods=6')), /dataset notes: .*'wrods'\. Did you mean: words/);
  assert.match(await mistake('train', ...own, ...options('words')), /--dataset-option: expected NAME=VALUE/);
  assert.match(await mistake('train', ...own, ...options('words=6', 'words=7')), /'words' is given twice; keep one/);
  assert.match(
    await mistake('train', '--sae', 'topk', '--activations', folder, '--modality', 'text', ...options('words=6')),
    /activations/,
  );
  const small = ['d_sae=8', 'k=2', 'tokens=64', 'batchSize=32'].flatMap((option) => ['--option', option]);
  const into = ['--items', '8', '--out', join(folder, 'sae'), '--no-progress'];
  await run('train', ...own, ...small, ...into, ...options('words=6'));
  try {
    await run('train', ...own, ...small, ...into, ...options('words=7'));
    assert.unreachable();
  } catch (error) {
    assert.match((error as Error).message, /holds another SAE/);
  }
});

test.run();
