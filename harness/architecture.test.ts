/** @file Holds the shape of the house: which folder imports which, the size of files, and that tests run. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { packageRoot } from './paths.ts';

const test = suite('architecture');

const ROOTS = ['harness', 'models', 'baselines', 'tasks', 'reports'];
const MAX_LINES = 400;

/** Source files below the five folders, relative to the package's root, sorted. */
const files: string[] = ROOTS.flatMap((root) =>
  readdirSync(join(packageRoot, root), { recursive: true, withFileTypes: true }),
)
  .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
  .map((entry) => relative(packageRoot, join(entry.parentPath, entry.name)))
  // What others sent in is nobody's code here.
  .filter((file) => !file.startsWith('reports/submissions/'))
  .sort();

const textOf = (file: string) => readFileSync(join(packageRoot, file), 'utf8');

const isTest = (file: string) => file.endsWith('.test.ts') || /\/(testing|testdata)\//.test(file);

/** What the author of a plug-in sees of the harness. */
const AUTHORS = ['harness/contract.ts', 'harness/kit/index.ts'];

/** What each part may import beside itself, by the beginning of paths; the first rule whose part fits counts. */
const RULES: readonly { part: string; may: readonly string[] }[] = [
  { part: 'harness/errors.ts', may: [] },
  { part: 'harness/paths.ts', may: [] },
  {
    part: 'harness/native/',
    may: ['harness/num/tf.ts', 'harness/num/kernels/declining.ts', 'harness/errors.ts'],
  },
  // The one line by which the native backend is plugged in.
  { part: 'harness/num/backends/native.ts', may: ['harness/num/', 'harness/native/index.ts'] },
  { part: 'harness/webgpu/', may: ['harness/num/tf.ts', 'harness/num/kernels/declining.ts'] },
  { part: 'harness/num/backends/webgpu.ts', may: ['harness/num/', 'harness/webgpu/'] },
  {
    part: 'harness/tensorflow/',
    may: ['harness/io/', 'harness/num/backend.ts', 'harness/num/tf.ts', 'harness/errors.ts', 'harness/paths.ts'],
  },
  { part: 'harness/num/backends/tensorflow.ts', may: ['harness/num/', 'harness/tensorflow/place.ts'] },
  { part: 'harness/num/backend.ts', may: ['harness/num/', 'harness/errors.ts'] },
  { part: 'harness/num/', may: [] },
  { part: 'harness/io/', may: ['harness/errors.ts'] },
  {
    part: 'harness/contract',
    may: ['harness/contract/', 'harness/num/tf.ts', 'harness/num/rng.ts', 'harness/num/csr.ts', 'harness/errors.ts'],
  },
  {
    part: 'harness/kit/',
    may: [
      'harness/contract/',
      'harness/domain/',
      'harness/num/',
      'harness/io/',
      'harness/errors.ts',
      'harness/paths.ts',
    ],
  },
  {
    part: 'harness/domain/',
    may: ['harness/activations/import-groups.ts', 'harness/num/', 'harness/io/', 'harness/errors.ts'],
  },
  {
    part: 'harness/activations/',
    may: ['harness/contract', 'harness/num/', 'harness/io/', 'harness/schema/', 'harness/errors.ts'],
  },
  {
    part: 'harness/train',
    may: [
      'harness/train',
      'harness/activations/',
      'harness/contract',
      'harness/kit/',
      'harness/returned/',
      'harness/num/',
      'harness/io/',
      'harness/errors.ts',
    ],
  },
  { part: 'harness/perf/', may: ['harness/', 'models/', 'baselines/', 'tasks/'] },
  { part: 'harness/config/', may: ['harness/errors.ts', 'harness/io/', 'harness/num/backends/names.ts'] },
  { part: 'harness/schema/', may: ['harness/errors.ts', 'harness/paths.ts'] },
  { part: 'harness/returned/', may: ['harness/contract/', 'harness/num/tf.ts', 'harness/errors.ts'] },
  {
    part: 'harness/cli.ts',
    may: ['harness/commands/', 'harness/config/', 'harness/errors.ts', 'harness/open-files.ts', 'harness/paths.ts'],
  },
  {
    part: 'harness/commands/',
    may: [
      'harness/',
      ...['index', 'reference', 'compare', 'history', 'submitted', 'assessment'].map((door) => `reports/${door}.ts`),
    ],
  },
  // The machine between the commands and the contract: plan, store, execute, results, registry, suite, …
  { part: 'harness/', may: ['harness/'] },
  {
    part: 'reports/',
    may: [
      'harness/results.ts',
      'harness/schema/',
      'harness/paths.ts',
      'harness/errors.ts',
      'harness/io/',
      'harness/num/stats/',
    ],
  },
  // Training scripts of the embedded subjects: run by hand, never imported.
  { part: 'models/pretrained/', may: ['harness/', 'models/subjects/', 'tasks/worlds/'] },
  { part: 'models/sae/', may: AUTHORS },
  { part: 'models/subjects/', may: AUTHORS },
  { part: 'baselines/', may: AUTHORS },
  { part: 'tasks/datasets/', may: [...AUTHORS, 'tasks/worlds/', 'tasks/judges/'] },
  // The tasks that steer are several: what they share lies with the first of them.
  { part: 'tasks/steering-', may: [...AUTHORS, 'tasks/judges/', 'tasks/steering/'] },
  // What is chosen for a concept, and on which items, is the same in both.
  { part: 'tasks/domain-controls', may: [...AUTHORS, 'tasks/concept-detection/'] },
  { part: 'tasks/', may: [...AUTHORS, 'tasks/judges/'] },
];

/** Nothing but the command line may import these. */
const TOP = ['harness/cli.ts', 'harness/commands/'];

/** Relative imports of a file: static, re-exports and dynamic ones with a literal. */
function importsOf(file: string): string[] {
  const text = textOf(file).replace(/\/\*[\s\S]*?\*\//g, '');
  const found = text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'([^']+)'/g);
  return [...found].map((match) => match[1]!);
}

const targetOf = (file: string, specifier: string) => normalize(join(dirname(file), specifier));

/**
 * What a file may always import: `tasks/steering.ts` and `tasks/steering/…` belong together, and so do the files of
 * `models/sae/`, `harness/io/`, and all of `reports/` and `baselines/`.
 */
function ownPart(file: string): string {
  const [root, second] = file.split('/');
  if (root === 'reports' || root === 'baselines') return `${root}/`;
  return `${root}/${second!.replace(/\.ts$/, '')}/`;
}

function complaint(file: string, target: string): string | undefined {
  const rule = RULES.find(({ part }) => file.startsWith(part))!;
  const own = target.startsWith(ownPart(file));
  const allowed = own || rule.may.some((start) => target.startsWith(start));
  const top = TOP.some((start) => target.startsWith(start)) && !TOP.some((start) => file.startsWith(start));
  return allowed && !top ? undefined : `${file} imports ${target}`;
}

test('imports run one way', () => {
  const wrong = files
    .filter((file) => !isTest(file))
    .flatMap((file) =>
      importsOf(file)
        .filter((specifier) => specifier.startsWith('.'))
        .map((specifier) => complaint(file, targetOf(file, specifier))),
    )
    .filter((found) => found !== undefined);
  assert.equal(wrong, []);
});

/** The machine between the contract and the commands, from below: each part may import those before it. */
const LAYERS = [
  ...[
    'returned',
    'plugin-check',
    'plugin-fault',
    'chat',
    'activations',
    'train',
    'checkpoints',
    'registry',
    'plugins',
    'options',
    'code',
  ],
  ...['suite', 'plan', 'store', 'provenance', 'progress', 'results', 'execute', 'assess'],
];

/** Place of a file in the machine; −1 outside. */
const layerOf = (file: string) => LAYERS.indexOf(/^harness\/([a-z-]+)[./]/.exec(file)?.[1] ?? '');

test('the machine imports downwards', () => {
  const wrong = files
    .filter((file) => !isTest(file) && layerOf(file) >= 0)
    .flatMap((file) =>
      importsOf(file)
        .filter((specifier) => specifier.startsWith('.'))
        .map((specifier) => targetOf(file, specifier))
        .filter((target) => layerOf(target) > layerOf(file))
        .map((target) => `${file} imports ${target}`),
    );
  assert.equal(wrong, []);
  assert.ok(layerOf('harness/suite/check.ts') < layerOf('harness/execute/collect.ts'));
});

test('the rules refuse what they should', () => {
  assert.ok(complaint('harness/num/rng.ts', 'harness/contract.ts'));
  assert.ok(complaint('harness/plan.ts', 'harness/commands/run.ts'));
  assert.ok(complaint('models/sae/topk.ts', 'harness/num/rng.ts'));
  assert.ok(complaint('tasks/steering.ts', 'tasks/reconstruction/splice.ts'));
  assert.ok(complaint('tasks/steering/alpha.ts', 'tasks/reconstruction.ts'));
  assert.ok(complaint('baselines/pca.ts', 'models/sae/topk.ts'));
  assert.ok(complaint('reports/index.ts', 'harness/store.ts'));
  assert.not.ok(complaint('tasks/steering.ts', 'tasks/steering/alpha.ts'));
  assert.not.ok(complaint('baselines/pca.ts', 'baselines/parts/directions.ts'));
});

test('relative imports name their file with .ts', () => {
  const wrong = files.flatMap((file) =>
    importsOf(file)
      .filter((specifier) => specifier.startsWith('.') && !/\.(ts|json)$/.test(specifier))
      .map((specifier) => `${file}: ${specifier}`),
  );
  assert.equal(wrong, []);
});

test('only num/backends/ imports a backend, and TensorFlow.js comes from num/tf.ts', () => {
  const wrong = files.filter(
    (file) =>
      !['harness/num/backend.ts', 'harness/num/tf.ts'].includes(file) &&
      !file.startsWith('harness/num/backends/') &&
      !file.startsWith('harness/native/') &&
      !file.startsWith('harness/perf/') &&
      !isTest(file) &&
      importsOf(file).some((specifier) => specifier.startsWith('@tensorflow/')) &&
      !/^import type [^;]*@tensorflow/m.test(textOf(file)),
  );
  assert.equal(wrong, []);
});

/** Circles among files, each as the way around: imports of types and late ones count as others do. */
function circlesOf(edges: ReadonlyMap<string, readonly string[]>): string[] {
  const state = new Map<string, 'open' | 'done'>();
  const circles: string[] = [];
  const visit = (file: string, path: string[]): void => {
    if (state.get(file) === 'done') return;
    if (state.get(file) === 'open') {
      circles.push([...path.slice(path.indexOf(file)), file].join(' → '));
      return;
    }
    state.set(file, 'open');
    for (const target of edges.get(file) ?? []) visit(target, [...path, file]);
    state.set(file, 'done');
  };
  for (const file of edges.keys()) visit(file, []);
  return circles;
}

test('relative imports do not run in circles', () => {
  const edges = files
    .filter((file) => !isTest(file))
    .map((file) => [file, importsOf(file).filter((name) => name.startsWith('.'))] as const)
    .map(([file, names]) => [file, names.map((name) => targetOf(file, name))] as const);
  assert.equal(circlesOf(new Map(edges)), []);
});

test('a circle is found, two roads to one file are none', () => {
  const edges: [string, string[]][] = [
    ['a', ['b', 'c']],
    ['b', ['d']],
    ['c', ['d']],
  ];
  assert.equal(circlesOf(new Map(edges)), []);
  assert.equal(circlesOf(new Map([...edges, ['d', ['b']]])), ['b → d → b']);
});

test(`no file has more than ${MAX_LINES} lines`, () => {
  const long = files.filter((file) => textOf(file).split('\n').length > MAX_LINES + 1);
  assert.equal(long, []);
});

test('every file says in its first line what it is for', () => {
  const silent = files.filter((file) => !isTest(file) && !/^(#![^\n]*\n)?\/\*\*[\s\S]{0,5}@file /.test(textOf(file)));
  assert.equal(silent, []);
});

test('every test file runs its tests', () => {
  const idle = files.filter((file) => file.endsWith('.test.ts') && !/\.run\(\)/.test(textOf(file)));
  assert.equal(idle, []);
});

test.run();
