/** @file `saxbench new`: what it writes is right under strict checks, passes its own tests and runs; ten mistakes. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { packageRoot } from '../paths.ts';
import { mistake, runCommand as run } from '../testing/command-line.ts';

const test = suite('saxbench new');
const folder = mkdtempSync(join(tmpdir(), 'saxbench-new-'));
test.after(() => rmSync(folder, { recursive: true }));

const KINDS = ['sae', 'baseline', 'task', 'dataset', 'judge', 'suite'];
const own = join(folder, 'own');
const place = (name: string) => join(own, name);

test('writes each kind, and says what to do next', async () => {
  for (const kind of KINDS) {
    const { out } = await run('new', kind, `my-${kind}`, '--out', own);
    const file = place(`my-${kind}.${kind === 'suite' ? 'json' : 'ts'}`);
    assert.ok(out.includes(`wrote ${file}`), out);
    if (kind !== 'suite') assert.match(out, new RegExp(`node --test \\S+/my-${kind}\\.test\\.mjs`));
    assert.match(out, /^ {2}npx saxbench (run|validate) /m);
    assert.not.match(readFileSync(file, 'utf8'), /starter/i);
  }
  assert.is(readdirSync(own).length, 12, 'five plug-ins with tests, a table and a suite');
  const { out } = await run('new', 'sae', 'other', '--out', join(folder, 'json'), '--json');
  const { files, next } = JSON.parse(out) as { files: string[]; next: string[] };
  assert.is(files.length, 2);
  assert.match(next[1]!, /^npx saxbench run default --plugin \S+other\.ts --only other,topk --limit 8$/);
});

test('is right under strict checks', () => {
  const paths = {
    saxbench: [join(packageRoot, 'harness/contract.ts')],
    'saxbench/kit': [join(packageRoot, 'harness/kit/index.ts')],
    'saxbench/sae': [join(packageRoot, 'models/sae/shared/index.ts')],
  };
  const compilerOptions = { noEmit: true, paths, typeRoots: [join(packageRoot, 'node_modules/@types')] };
  const config = { extends: join(packageRoot, 'tsconfig.json'), compilerOptions, include: [own] };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  // The compiler takes files outside of any package for CommonJS; saxbench does not.
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  const compiler = join(packageRoot, 'node_modules/typescript/bin/tsc');
  try {
    execFileSync(process.execPath, [compiler, '-p', folder], { encoding: 'utf8' });
  } catch (error) {
    assert.unreachable((error as { stdout: string }).stdout);
  }
});

test('its own tests pass', () => {
  // As installed, but for the sources in place of what is compiled from them.
  const installed = join(folder, 'node_modules/saxbench');
  mkdirSync(installed, { recursive: true });
  symlinkSync(packageRoot, join(installed, 'src'));
  const exported = { name: 'saxbench', type: 'module', exports: { './trial': './src/harness/trial.ts' } };
  writeFileSync(join(installed, 'package.json'), JSON.stringify(exported));
  const tests = KINDS.filter((kind) => kind !== 'suite').map((kind) => place(`my-${kind}.test.mjs`));
  try {
    const args = ['--import', import.meta.resolve('tsx'), '--test', '--test-reporter=tap', ...tests];
    const out = execFileSync(process.execPath, args, { encoding: 'utf8', cwd: folder });
    assert.match(out, /^# pass 10$/m);
  } catch (error) {
    assert.unreachable((error as { stdout?: string }).stdout ?? String(error));
  }
});

test('runs: SAE, baseline and task join the suite, the judge and the dataset are named', async () => {
  const file = place('my-suite.json');
  const whole = JSON.parse(readFileSync(file, 'utf8'));
  assert.match((await run('validate', file)).out, /valid: a suite: my-suite/);
  const plugins = ['sae', 'baseline', 'task', 'dataset', 'judge'].flatMap((kind) => [
    '--plugin',
    place(`my-${kind}.ts`),
  ]);
  const [subject] = whole.subjects;
  const dataset = { id: 'my-dataset', options: { path: './my-dataset.csv' } };
  const small = {
    ...whole,
    subjects: [{ ...subject, dataset, activations: { train: 16, test: 8 }, training: { tokens: 640 } }],
    methods: [{ id: 'topk', options: { d_sae: 64, k: 4 }, training: { batchSize: 64 } }],
    tasks: [{ id: 'concept-detection' }],
    seeds: [0],
  };
  writeFileSync(file, JSON.stringify(small));
  const places = ['--out', join(folder, 'out'), '--store', join(folder, 'store'), '--backend', 'wasm', '--no-progress'];
  const only = ['--only', 'my-sae,my-baseline', '--only', 'tasks=my-task,concept-detection'];
  const { code, out, said } = await run('run', file, ...plugins, ...only, '--option', 'my-sae.k=8', ...places);
  assert.is(code, 0, said);
  assert.match(said, /^my-sae \(SAE of \S+my-sae\.ts\) joins the run, sized as topk: d_sae 64, k 8 \(/m);
  assert.match(said, /^my-baseline \(baseline of .*\) joins the run with its own defaults\.$/m);
  assert.match(said, /^my-task \(task of .*\) joins the run with its own defaults\.$/m);
  assert.match(said, /^my-judge \(judge of .*\) joins no run by itself: name it in a suite/m);
  assert.not.match(said, /my-dataset \(/);
  assert.match(out, /concept-detection \(auroc\) +my-task \(alive\)/);
  assert.match(out, /^my-sae +[01]\.\d+.*[01]\.\d+/m);
  assert.match(out, /^my-baseline +[01]\.\d+.*–/m);
  assert.not.match(out, /^topk/m);
});

test('a domain: a folder that validates, and a plan of it that runs on an embedded model', async () => {
  const { out } = await run('new', 'domain', 'my-domain', '--out', folder);
  const path = join(folder, 'my-domain');
  assert.equal(readdirSync(path).sort(), ['concepts.csv', 'examples.csv', 'suite.json']);
  assert.match(out, /npx saxbench validate \S*my-domain {4}#/);
  const { out: found } = await run('validate', path);
  assert.match(
    found,
    /^valid: a domain: 72 texts, 4 concepts; \d+ to train on, \d+ to test on \(drawn by group; 24 groups/,
  );
  assert.match(found, /^ {2}gull +\d+\/\d+ +\d+\/\d+ +\d+ +0\.\d+/m);
  const plan = await run('run', path, '--subject', 'tiny-lm-chain', '--limit', '8', '--dry-run', '--backend', 'cpu');
  assert.match(plan.out, /^to do\tevaluate\ttiny-lm-chain blocks\.1\.hook_resid_post topk concept-detection/m);
  assert.match(await mistake('new', 'domain', 'my-domain', '--out', folder), /is there already; choose another name/);
});

test('ten mistakes, one line each', async () => {
  const attempt = (...given: string[]) => mistake('new', ...given, '--out', own);
  const wrong: [given: string[], told: RegExp][] = [
    [['seo', 'mine'], /^unknown kind 'seo'\. Did you mean: sae\?/],
    [
      [],
      /^new: expected <kind>: one of sae, baseline, task, dataset, judge, suite, domain, dump-script; found nothing\.$/,
    ],
    [['sae'], /^new: expected <name>: a name of lower-case letters.*; found nothing\.$/],
    [['sae', ''], /^new: expected <name>; found ""\.$/],
    [['sae', 'a/b'], /^new sae: expected a name of lower-case letters, digits and single dashes, .*; found 'a\/b'\.$/],
    [['task', 'My_Task'], /^new task: expected a name of lower-case letters.*; found 'My_Task'\.$/],
    [['sae', '../out'], /found '\.\.\/out'\.$/],
    [['sae', 'x'.repeat(81)], /at most 80/],
    [['sae', 'topk'], /^new sae: saxbench has a sae 'topk' of its own; choose another name\.$/],
    [['sae', 'pca'], /^new sae: saxbench has a baseline 'pca' of its own; choose another name\.$/],
    [['baseline', 'checkpoint'], /saxbench has a kind of method 'checkpoint' of its own/],
    [['suite', 'default'], /^new suite: saxbench has a suite 'default' of its own; choose another name\.$/],
    [['sae', 'my-sae'], /my-sae\.test\.mjs is there already; choose another name, or --out another folder\.$/],
    [['sae', 'x', 'y'], /unexpected argument 'y'/],
    [['sae', 'x', '--force'], /^new: unknown flag --force/],
  ];
  for (const [given, told] of wrong) assert.match(await attempt(...given), told, given.join(' '));
  const file = join(folder, 'file');
  writeFileSync(file, '');
  assert.match(await mistake('new', 'task', 'mine', '--out', file), /cannot write \S+: .*choose another/);
});

test('a folder that cannot be written is one line, and nothing is half written', async () => {
  const locked = join(folder, 'locked');
  mkdirSync(locked);
  chmodSync(locked, 0o555);
  // Whoever may do everything is stopped by nothing.
  if (process.getuid?.() !== 0) assert.match(await mistake('new', 'sae', 'mine', '--out', locked), /no permission/);
  const half = join(folder, 'half');
  mkdirSync(half);
  writeFileSync(join(half, 'mine.ts'), 'kept');
  assert.match(await mistake('new', 'sae', 'mine', '--out', half), /mine\.ts is there already/);
  assert.equal(readdirSync(half), ['mine.ts']);
  assert.is(readFileSync(join(half, 'mine.ts'), 'utf8'), 'kept');
});

test.run();
