/**
 * @file What the README calls an example to copy works outside of the package with nothing but its imports changed, in
 * TypeScript (checked strictly) and in plain JavaScript, and gives the numbers of the original.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { transformSync } from 'esbuild';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { packageRoot } from './paths.ts';
import { loadPlugin } from './plugins.ts';
import { readResult, resultFiles } from './results.ts';
import type { Suite } from './schema/suite.generated.ts';
import { toyRegistry } from './testing/toy.ts';
import { runToy } from './testing/toy-run.ts';

const test = suite('plugin examples');
const folder = mkdtempSync(join(tmpdir(), 'saxbench-examples-'));
test.after(() => rmSync(folder, { recursive: true }));

const EXAMPLES = ['models/sae/topk', 'baselines/pca', 'tasks/concept-detection'];
const copyOf = (example: string) => `my-${basename(example)}`;

/** The text of a copied file with the imports that a copy needs, and the name of the copy. */
function changed(text: string, example: string): string {
  return text
    .replace(/'(\.\.\/)+harness\/contract\.ts'/g, "'saxbench'")
    .replace(/'(\.\.\/)+harness\/kit\/index\.ts'/g, "'saxbench/kit'")
    .replace(/'\.\/shared\/[a-z-]+\.ts'/g, "'saxbench/sae'")
    .replaceAll(`'./${basename(example)}/`, `'./${copyOf(example)}/`)
    .replace(`  id: '${basename(example)}',`, `  id: '${copyOf(example)}',`);
}

/** Copies the examples, each with the folder of its name, as TypeScript or as JavaScript. */
function copyExamples(into: string, extension: '.ts' | '.mjs'): string[] {
  mkdirSync(into);
  return EXAMPLES.map((example) => {
    const from = join(packageRoot, example);
    const own = join(into, copyOf(example));
    cpSync(`${from}.ts`, `${own}.ts`);
    cpSync(from, own, { recursive: true, force: true, errorOnExist: false, filter: () => hasFolder(from) });
    for (const file of readdirSync(into, { recursive: true, encoding: 'utf8' })) {
      if (!file.endsWith('.ts')) continue;
      const path = join(into, file);
      if (file.endsWith('.test.ts')) rmSync(path);
      else convert(path, changed(readFileSync(path, 'utf8'), example), extension);
    }
    return `${own}${extension}`;
  });
}

const hasFolder = (path: string) => readdirSync(dirname(path)).includes(basename(path));

function convert(path: string, text: string, extension: '.ts' | '.mjs'): void {
  if (extension === '.ts') {
    writeFileSync(path, text);
    return;
  }
  const { code } = transformSync(text, { loader: 'ts', format: 'esm', target: 'node20' });
  writeFileSync(path, code.replace(/(from ")(\.[^"]+)\.ts"/g, '$1$2.mjs"'));
  renameSync(path, path.replace(/\.ts$/, '.mjs'));
}

const SUITE: Partial<Suite> = {
  methods: [
    { id: 'topk', options: { d_sae: 8, k: 2 }, training: { tokens: 640, batchSize: 64 } },
    { id: 'my-topk', options: { d_sae: 8, k: 2 }, training: { tokens: 640, batchSize: 64 } },
    { id: 'pca' },
    { id: 'my-pca' },
  ],
  tasks: [{ id: 'concept-detection' }, { id: 'my-concept-detection' }],
};

/** Rows of the results by method and task. */
async function numbersOf(files: readonly string[], out: string): Promise<Map<string, unknown>> {
  const registry = toyRegistry();
  for (const file of files) await loadPlugin(file, registry);
  mkdirSync(out);
  const run = await runToy(out, SUITE, undefined, { registry });
  const results = await Promise.all((await resultFiles(run.out)).map((file) => readResult(file)));
  return new Map(results.map(({ method, task, rows }) => [`${method.name} ${task.id}`, rows]));
}

for (const extension of ['.ts', '.mjs'] as const) {
  test(`copied out of the tree, as ${extension}: the numbers of the original`, async () => {
    const files = copyExamples(join(folder, extension.slice(1)), extension);
    const rows = await numbersOf(files, join(folder, `out${extension}`));
    for (const method of ['topk', 'pca']) {
      const original = rows.get(`${method} concept-detection`);
      assert.ok(Array.isArray(original) && original.length > 0, method);
      for (const copy of [`my-${method} concept-detection`, `${method} my-concept-detection`]) {
        assert.equal(rows.get(copy), original, copy);
      }
    }
  });
}

test('copied TypeScript is right under strict checks', () => {
  const paths = {
    saxbench: [join(packageRoot, 'harness/contract.ts')],
    'saxbench/kit': [join(packageRoot, 'harness/kit/index.ts')],
    'saxbench/sae': [join(packageRoot, 'models/sae/shared/index.ts')],
  };
  const into = join(folder, 'ts');
  const compilerOptions = { noEmit: true, paths, typeRoots: [join(packageRoot, 'node_modules/@types')] };
  const config = { extends: join(packageRoot, 'tsconfig.json'), compilerOptions, include: [into] };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  // The compiler takes files outside of any package for CommonJS; saxbench does not.
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  try {
    execFileSync(process.execPath, [join(packageRoot, 'node_modules/typescript/bin/tsc'), '-p', folder], {
      encoding: 'utf8',
    });
  } catch (error) {
    assert.unreachable((error as { stdout: string }).stdout);
  }
});

test.run();
