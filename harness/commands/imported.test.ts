/** @file `--activations` on the command line: what is said, trained on, recorded and refused. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { writeNpy } from '../io/npy.ts';
import { createRng } from '../num/rng.ts';
import type { Result } from '../schema/result.generated.ts';
import { mistake, runCommand as run } from '../testing/command-line.ts';

const test = suite('imported activations');
const folder = mkdtempSync(join(tmpdir(), 'saxbench-imported-'));
test.after(() => rmSync(folder, { recursive: true }));

const N = 400;
const D = 8;
const dump = join(folder, 'dump');

test.before(async () => {
  mkdirSync(dump);
  const x = createRng(1).fillNormal(new Float32Array(N * D));
  for (let i = 0; i < N; i++) x[i * D + (i >> 7)]! += 3;
  await writeNpy(join(dump, 'x.npy'), [N, D], x);
  writeFileSync(join(dump, 'labels.txt'), Array.from({ length: N }, (_, i) => `kind ${i >> 7}`).join('\n'));
});

const places = (name: string) => ['--store', join(folder, 'store'), '--out', join(folder, name), '--backend', 'cpu'];

test('a run must know the modality, and its flags need --activations', async () => {
  assert.match(await mistake('run', 'default', '--activations', dump), /nothing says which; add --modality/);
  assert.match(
    await mistake('run', 'default', '--modality', 'text'),
    /--modality: expected together with --activations/,
  );
});

test('how many items are trained on, tested on and kept for concepts is said and recorded, with the epochs', async () => {
  const small = ['--only', 'tasks=reconstruction', '--only', 'seeds=0', '--only', 'methods=topk', '--no-progress'];
  const { code, said } = await run(
    'run',
    'default',
    '--activations',
    dump,
    '--modality',
    'image',
    ...small,
    ...places('a'),
    '--limit',
    '100',
  );
  assert.is(code, 0, said);
  assert.match(said, /dump: labels from labels\.txt\./);
  assert.match(
    said,
    /dump: split drawn with seed 0, by class: of 400 items \d+ to train on, \d+ to test on, \d+ \+ \d+ for concepts\./,
  );
  assert.match(said, /dump: trained on 100 of the \d+ items that tests and concepts leave\./);
  const results = readdirSync(join(folder, 'a'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.startsWith('results/') && name.endsWith('.json'))
    .map((name) => JSON.parse(readFileSync(join(folder, 'a', name), 'utf8')) as Result)
    .filter(({ method }) => method.id === 'topk');
  assert.is(results.length, 1);
  const { notes, trainRows } = results[0]!.dataset;
  const { tokens } = results[0]!.training!;
  assert.ok(
    notes!.includes(`training saw ${tokens} vectors: ${(tokens / trainRows).toFixed(2)} epochs of ${trainRows} rows`),
    notes!.join('\n'),
  );
});

test('another seed of the draw makes other steps; more than there is, is said', async () => {
  const suiteFile = join(folder, 'own.json');
  const suiteOf = (activations: object) => {
    const subjects = [{ sites: ['imported'], activations: { from: dump, modality: 'text', ...activations } }];
    const value = { id: 'own', title: 'Own', subjects, methods: [{ id: 'pca' }], tasks: [{ id: 'reconstruction' }] };
    writeFileSync(suiteFile, JSON.stringify(value));
    return run('run', suiteFile, '--dry-run', '--json', ...places('b'));
  };
  const keysOf = ({ out }: { out: string }) =>
    (JSON.parse(out) as { steps: { key: string }[] }).steps.map(({ key }) => key);
  const first = await suiteOf({});
  assert.equal(keysOf(await suiteOf({ seed: 0 })), keysOf(first));
  for (const key of keysOf(await suiteOf({ seed: 1 }))) assert.ok(!keysOf(first).includes(key));
  assert.match(
    (await suiteOf({ train: 180_000 })).said,
    /of the \d+ items that tests and concepts leave; 180000 were asked for\./,
  );
});

test('validate prints what a folder holds, and takes its manifest too', async () => {
  const { out } = await run('validate', dump);
  for (const line of [
    /^valid: activations: 400 rows of width 8 \(F32\), 400 items/,
    /modality: not said; a run needs --modality text or image/,
    / {2}x\.npy: 400 rows/,
    /norms: least [\d.]+, median [\d.]+, greatest [\d.]+/,
    /labels from labels\.txt; 4 classes, 0 items without:\n {2}kind 0: 128\n/,
    /groups: none named\nduplicates: 0 items repeat another\nsplit: none given/,
    /not read: nothing/,
  ])
    assert.match(out, line);
  const { found } = JSON.parse((await run('validate', dump, '--json')).out) as { found: { rows: number } };
  assert.is(found.rows, N);
});

test.run();
