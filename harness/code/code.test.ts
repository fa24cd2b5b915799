/** @file Digests of code change with what a step runs and with nothing else; plug-ins from outside count whole. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { packageRoot } from '../paths.ts';
import { openRegistry } from '../registry.ts';
import { builtInCode, digestCode } from './built-in.ts';
import { outsideCode } from './bundle.ts';
import { pluginSource } from './plugin-source.ts';
import { openStepCode } from './step-code.ts';

const test = suite('code');
const root = mkdtempSync(join(tmpdir(), 'saxbench-code-'));
test.after(() => rmSync(root, { recursive: true }));

const copy = join(root, 'copy');
const digests = async () => (await digestCode(copy, '.ts')).codes;

test.before(async () => {
  for (const folder of ['harness', 'models', 'baselines', 'tasks', 'reports']) {
    cpSync(join(packageRoot, folder), join(copy, folder), {
      recursive: true,
      filter: (file) => !/[\\/](testdata|pretrained|src)$/.test(file) && !/\.test\.ts$/.test(file),
    });
  }
  before = await digests();
});

let before: Awaited<ReturnType<typeof digests>>;

/** Names whose digest an edit of some files changes. The edit is taken back. */
async function changedBy(...edits: [file: string, edit: (text: string) => string][]): Promise<string[]> {
  const texts = edits.map(([file]) => readFileSync(join(copy, file), 'utf8'));
  for (const [i, [file, edit]] of edits.entries()) {
    const text = edit(texts[i]!);
    assert.is.not(text, texts[i], `${file}: the edit found nothing`);
    writeFileSync(join(copy, file), text);
  }
  const after = await digests();
  for (const [i, [file]] of edits.entries()) writeFileSync(join(copy, file), texts[i]!);
  return Object.keys(before).filter((name) => after[name]!.sha256 !== before[name]!.sha256);
}

/** Functions that return by way of something else. */
const otherwise = (text: string) => text.replaceAll('return ', 'return console.log(), ');

/** With one more effect, whatever the file says. */
const edited = (text: string) => `${text}\nconsole.log('edited');\n`;

test('a changed metric changes the tasks that use it, not training', async () => {
  const changed = await changedBy([
    'harness/num/metrics/roc.ts',
    (text) => text.replaceAll('return', 'if (1 > 2) debugger; return'),
  ]);
  assert.ok(changed.includes('tasks/concept-detection'), changed.join());
  for (const name of ['sae', 'models/sae/topk', 'baselines/pca', 'collect'])
    assert.not.ok(changed.includes(name), name);
});

test('the trainer changes SAEs, not baselines or activations', async () => {
  const changed = await changedBy(['harness/train.ts', otherwise]);
  assert.equal(changed, ['sae']);
});

test('a helper of one plug-in changes that plug-in', async () => {
  const changed = await changedBy(['tasks/reconstruction/geometry.ts', edited]);
  assert.equal(changed, ['tasks/reconstruction']);
});

test('an operation of the backend and a kernel of ours change the backend', async () => {
  const kernel = await changedBy(['harness/native/kernels/reduce.ts', (text) => text.replaceAll('1', '2')]);
  assert.equal(kernel, ['backend']);
  const gradient = await changedBy(['harness/num/gradients/unary.ts', (text) => text.replaceAll('2', '3')]);
  assert.ok(gradient.includes('backend'));
});

test('comments, types, reports and commands change nothing', async () => {
  const changed = await changedBy(
    ['harness/num/metrics/roc.ts', (text) => `/** A comment. */\n${text}\ninterface Unused { a: number }\n`],
    ['harness/commands/run.ts', edited],
    ['reports/index.ts', edited],
    ['harness/provenance.ts', edited],
  );
  assert.equal(changed, []);
});

test('every plug-in and every machine has a digest, with the versions of packages', async () => {
  const code = await builtInCode();
  for (const kind of ['sae', 'baseline', 'task', 'dataset', 'subject'] as const) {
    for (const id of await openRegistry().ids(kind)) assert.match(code.plugin(kind, id), /^[0-9a-f]{64}$/);
  }
  assert.throws(() => code.plugin('sae', 'none'), /no digest/);
  const [some, other] = [['sharp'], ['no-such-package']].map((packages) =>
    code.withVersions({ sha256: 'a', packages }),
  );
  assert.is.not(some, other);
});

const file = (name: string, text: string) => {
  const path = join(root, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, text);
  return path;
};
const half = (more: string) =>
  `import { defineBaseline, tf } from 'saxbench';\n${more}
  export default defineBaseline({ id: 'half', title: 'half', version: 1, options: {}, needs: 'nothing', seeded: false,
    async fit() { return { tensors: {} }; }, restore: () => ({ encode: (x) => tf.mul(x, F), dispose() {} }) });`;

test('a plug-in, its helpers, data and local packages: each changes the digest', async () => {
  const plugin = file(
    'half.ts',
    half(`import { F as A } from "./helper.mjs"; import { B } from "./deep/types.js"; import data from "./data.json";
          import { C } from 'local'; const { D } = await import("./late.mjs"); const F: number = A * B * data.e * C * D;`),
  );
  const parts: [string, (value: number) => string][] = [
    ['helper.mjs', (value) => `export const F = ${value};`],
    ['deep/types.ts', (value) => `export const B: number = ${value};`],
    ['data.json', (value) => `{ "e": ${value} }`],
    ['late.mjs', (value) => `export const D = ${value};`],
    ['node_modules/local/index.js', (value) => `exports.C = ${value};`],
  ];
  file('node_modules/local/package.json', '{"name":"local","version":"1.0.0","sideEffects":false}');
  for (const [name, text] of parts) file(name, text(0.5));
  const before = await outsideCode(plugin);
  assert.equal(before.unfollowed, []);
  assert.is((await outsideCode(plugin)).sha256, before.sha256);
  for (const [name, text] of parts) {
    file(name, text(0.9));
    assert.is.not((await outsideCode(plugin)).sha256, before.sha256, name);
    file(name, text(0.5));
  }
  assert.is((await outsideCode(plugin)).sha256, before.sha256);
});

test('the contract counts as far as a plug-in uses it', async () => {
  const { packages } = await outsideCode(file('half.ts', half('const F = 0.5;')));
  assert.not.ok(packages.includes('sharp'));
  const uses = await outsideCode(
    file('half.ts', half('import { decodeImage } from "saxbench/kit"; const F = decodeImage;')),
  );
  assert.ok(uses.packages.includes('sharp'));
});

for (const [what, line] of [
  ['a computed import', 'const { F } = await import(process.argv[2]);'],
  [
    'a computed require',
    'import { createRequire } from "node:module"; const F = createRequire(import.meta.url)("./x");',
  ],
  ['code run from a text', 'const F = eval("0.5");'],
  ['a file that is not there', 'import { F } from "./nowhere.mjs";'],
  ['a process of its own', 'import { execSync } from "child_process"; const F = Number(execSync("echo 1"));'],
] as const) {
  test(`a plug-in with ${what} is computed in every run, and that is said`, async () => {
    const registry = openRegistry();
    const plugin = file('half.ts', half(line));
    registry.add({ ...(await registry.get('baseline', 'neurons')), id: 'half' }, plugin);
    const said: string[] = [];
    const run = async () => (await openStepCode(registry, (text) => said.push(text))).plugin('baseline', 'half');
    assert.is.not(await run(), await run());
    assert.is(said.length, 2);
    assert.match(said[0]!, /^plug-in .*half\.ts: what it imports cannot be followed \(.+\): its steps are computed in/);
    assert.not.match(said[0]!, /\n/);
  });
}

test('a method that reads files by itself is reused, and what is not seen is said', async () => {
  const registry = openRegistry();
  const plugin = file('half.ts', half('import { readFileSync } from "node:fs"; const F = readFileSync("f").length;'));
  registry.add({ ...(await registry.get('baseline', 'neurons')), id: 'half' }, plugin);
  const said: string[] = [];
  const run = async () => (await openStepCode(registry, (text) => said.push(text))).plugin('baseline', 'half');
  assert.is(await run(), await run());
  assert.match(said[0]!, /reads files by itself, and a change in them is not seen: name them in its 'files', or run/);
});

test('files that a plug-in names are in the source that an SAE of its own layout is tied to', async () => {
  const registry = openRegistry();
  const plugin = file('half.ts', half(''));
  const data = file('table.json', '[1]');
  const neurons = await registry.get('baseline', 'neurons');
  registry.add({ ...neurons, id: 'without' }, plugin);
  registry.add({ ...neurons, id: 'half', files: ['table.json'] }, plugin);
  const first = await pluginSource(registry, 'baseline', 'half');
  assert.is.not(first, await pluginSource(registry, 'baseline', 'without'));
  writeFileSync(data, '[2]');
  assert.is.not(await pluginSource(registry, 'baseline', 'half'), first);
  writeFileSync(data, '[1]');
  assert.is(await pluginSource(registry, 'baseline', 'half'), first);
  rmSync(data);
});

test('files that a plug-in names are in its digest, byte by byte', async () => {
  const registry = openRegistry();
  const plugin = file('half.ts', half('import { readFileSync } from "node:fs"; const F = readFileSync("f").length;'));
  const data = file('table.json', '[1]');
  registry.add({ ...(await registry.get('baseline', 'neurons')), id: 'half', files: ['./table.json'] }, plugin);
  const said: string[] = [];
  const run = async () => (await openStepCode(registry, (text) => said.push(text))).plugin('baseline', 'half');
  const first = await run();
  assert.is(await run(), first);
  writeFileSync(data, '[2]');
  assert.is.not(await run(), first);
  assert.equal(said, []);
  rmSync(data);
  assert.match(
    await run().catch((error: Error) => error.message),
    /^plug-in .*half\.ts: its 'files' .*table\.json does not exist/,
  );
});

test.run();
