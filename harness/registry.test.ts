/** @file The registry: sorted scan, id = file name, duplicates refused; every built-in plug-in is a valid one. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { packageRoot } from './paths.ts';
import { openRegistry } from './registry.ts';
import { refusal } from './testing/failing.ts';

const test = suite('registry');
const root = mkdtempSync(join(tmpdir(), 'saxbench-registry-'));
test.after(() => rmSync(root, { recursive: true }));

const baseline = (id: string, more = '') =>
  `export default { kind: 'baseline', id: '${id}', title: 'T', version: 1, options: {}, needs: 'nothing', seeded: false, fit() {}, restore() {}, ${more} };`;

function place(path: string, text: string): void {
  mkdirSync(join(root, path, '..'), { recursive: true });
  writeFileSync(join(root, path), text);
}

place('package.json', '{"type":"module"}');
place('baselines/zeta.js', baseline('zeta'));
place('baselines/alpha.js', baseline('alpha'));
place('baselines/alpha.test.js', 'throw new Error("tests are no plug-ins")');
place('baselines/alpha.d.ts', '');
place('baselines/parts/inner.js', 'throw new Error("folders are not scanned")');
place('models/subjects/shared.js', 'export const x = 1;');
place(
  'models/subjects/gpt2.js',
  `export default { kind: 'subject', id: 'gpt2', title: 'T', version: 1, modelTypes: ['gpt2'], load() {} };`,
);
place('bad/baselines/wrong.js', baseline('right'));
place('bad/baselines/untitled.js', baseline('untitled', `title: ''`));
place('bad/baselines/nofit.js', baseline('nofit', 'fit: 3'));
place('bad/baselines/versionless.js', baseline('versionless', 'version: 0'));
place('bad/baselines/nothing.js', 'export const x = 1;');
place('bad/baselines/dual.js', baseline('dual'));
place('bad/models/sae/dual.js', baseline('dual'));
place(
  'bad/tasks/nometric.js',
  `export default { kind: 'task', id: 'nometric', title: 'T', version: 1, options: {}, metrics: {}, run() {} };`,
);

const good = () => openRegistry({ root, extension: '.js' });
const bad = () => openRegistry({ root: join(root, 'bad'), extension: '.js' });

test('sorted; tests, declarations, subfolders and shared subject files are no plug-ins', async () => {
  assert.equal(await good().ids('baseline'), ['alpha', 'zeta']);
  assert.equal(await good().ids('subject'), ['gpt2']);
  assert.equal(await good().ids('task'), []);
  assert.equal(
    (await good().all('baseline')).map(({ id }) => id),
    ['alpha', 'zeta'],
  );
});

test('a task that is judged has the option judge, one that rates the subject itself has none', () => {
  const task = (more: object) => ({
    ...{ kind: 'task', id: 'measured', title: 'T', version: 1, axes: {}, run() {}, options: {} },
    metrics: { value: { description: 'V.', direction: 'max', range: [0, 1], unit: '', main: true } },
    ...more,
  });
  const options = { judge: { default: 'dataset', description: 'The judge.' } };
  const refused = (more: object, expected: RegExp) => assert.throws(() => good().add(task(more), 'f.ts'), expected);
  good().add(task({ measure: 'judged', options }), 'f.ts');
  good().add(task({ measure: 'likelihood' }), 'f.ts');
  refused({ measure: 'guess' }, /expected 'measure': one of judged, likelihood, or none; found 'guess'/);
  refused({ measure: 'judged' }, /expected an option 'judge' with an id as its default; found nothing/);
  refused({ measure: 'likelihood', options }, /expected no option 'judge' beside measure 'likelihood'/);
});

test('a task that shows what it has not is refused: reports would draw nothing, without a word', () => {
  const metric = (main: boolean) => ({ description: 'V.', direction: 'max', range: [0, 1], unit: '', main });
  const task = (shows: object) => ({
    ...{ kind: 'task', id: 'shown', title: 'T', version: 1, axes: { at: 'Where.' }, run() {}, options: {} },
    metrics: { value: metric(true), l0: metric(false) },
    shows,
  });
  const front = (x: object, y = 'value') => ({ fronts: [{ x, y, title: 'T', caption: 'C' }] });
  const refused = (shows: object, expected: RegExp) => assert.throws(() => good().add(task(shows), 'f.ts'), expected);
  refused(
    { costs: ['macs'] },
    /^plug-in f\.ts: expected 'shows\.costs': metrics of the task \(value, l0\); found 'macs'\.$/,
  );
  refused({ overview: ['macs'] }, /'shows\.overview': metrics of the task.*found 'macs'/);
  refused({ costs: 'value' }, /expected 'shows\.costs': a list; found 'value'/);
  const withheld = { withheld: { beatenBy: ['echo'], reason: 'r' } };
  refused(withheld, /'shows\.withheld\.beatenBy': controls of the task \(\); found 'echo'/);
  refused(front({ metric: 'L0' }), /expected 'shows\.fronts': metrics of the task \(value, l0\); found 'L0'/);
  refused(front({ metric: 'L0', task: 'shown' }), /'shows\.fronts'.*found 'L0'/);
  refused(front({ metric: 'l0' }, 'values'), /'shows\.fronts'.*found 'values'/);
  refused({ fronts: [null] }, /'shows\.fronts'.*found nothing/);
  refused(null as never, /expected 'shows': an object; found null/);
  refused('macs' as never, /expected 'shows': an object; found 'macs'/);
  refused([] as never, /expected 'shows': an object; found/);
  refused({ columns: ['l1'] }, /'shows\.columns'.*found 'l1'/);
  refused({ scatter: { x: 'l0', y: 'ev' } }, /'shows\.scatter'.*found 'ev'/);
  refused({ bands: { ratio: 2, dense: 0.5 } }, /'shows\.bands'.*found nothing/);
  refused({ scaling: { missing: 'ev' } }, /'shows\.scaling'.*found 'ev'/);
  refused({ ranked: { threshold: ['raw'] } }, /expected 'shows\.ranked': axes of the task \(at\); found 'threshold'/);
  const all = { columns: ['l0'], costs: ['l0'], ranked: { at: ['here'] }, scatter: { x: 'l0', y: 'value' } };
  good().add(task({ ...all, ...front({ metric: 'anything', task: 'another' }) }), 'f.ts');
});

test('unknown names', async () => {
  assert.match(
    await refusal(good().get('baseline', 'alhpa')),
    /unknown baseline 'alhpa'\. Did you mean: alpha\? Available: alpha, zeta\./,
  );
  assert.match(await refusal(good().method('zet')), /unknown method 'zet'\. Did you mean: zeta\?/);
});

test('a file that is not what it should be says so', async () => {
  assert.match(
    await refusal(bad().get('baseline', 'wrong')),
    /wrong\.js: expected the id 'wrong', as the file is named; found 'right'/,
  );
  assert.match(await refusal(bad().get('baseline', 'untitled')), /expected a title/);
  assert.match(await refusal(bad().get('baseline', 'nofit')), /expected a function 'fit'; found number 3/);
  assert.match(await refusal(bad().get('baseline', 'versionless')), /expected a version, 1 or more; found number 0/);
  assert.match(await refusal(bad().get('baseline', 'nothing')), /expected a default export made by/);
  assert.match(
    await refusal(bad().get('task', 'nometric')),
    /expected exactly one metric with main: true; found 'none'/,
  );
  assert.match(await refusal(bad().get('sae', 'dual')), /expected a plug-in of kind 'sae'; found 'baseline'/);
  assert.match(await refusal(bad().method('dual')), /names both an SAE variant and a baseline/);
});

test('a plug-in from outside is added once, and never in place of another', async () => {
  const registry = good();
  const common = { kind: 'baseline', title: 'T', version: 1, options: {}, needs: 'nothing' };
  const mine = { ...common, id: 'mine', fit() {}, restore() {} };
  registry.add(mine, './mine.js');
  assert.is((await registry.method('mine')).id, 'mine');
  assert.equal(await registry.ids('baseline'), ['alpha', 'mine', 'zeta']);
  assert.throws(() => registry.add(mine, './mine.js'), /is there already \(\.\/mine\.js\)/);
  assert.throws(() => registry.add({ ...mine, id: 'checkpoint' }, './checkpoint.js'), /there already \(saxbench\)/);
  assert.is(registry.fileOf('baseline', 'mine'), './mine.js');
  assert.is(registry.fileOf('baseline', 'zeta'), undefined);
  assert.throws(() => registry.add({ ...mine, id: 'zeta' }, './zeta.js'), /the baseline 'zeta' is there already/);
});

test('built-in plug-ins are valid', async () => {
  const registry = openRegistry();
  for (const kind of ['sae', 'baseline', 'task', 'dataset', 'judge', 'subject'] as const) {
    for (const definition of await registry.all(kind)) assert.is(definition.kind, kind);
  }
  assert.ok((await registry.ids('sae')).includes('topk'), packageRoot);
});

test.run();
