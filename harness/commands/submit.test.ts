/**
 * @file `saxbench submit` and `verify`: the README's walk from an empty folder, followed to the letter on a protocol of seconds;
 * methods that must not pass; mistakes.
 */
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { makeBoard } from '../../reports/testing/board.ts';
import { initBackend } from '../num/backend.ts';
import { packageRoot } from '../paths.ts';
import { loadPlugin } from '../plugins.ts';
import { mistake, runCommand as run } from '../testing/command-line.ts';

const test = suite('saxbench submit, verify');

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'saxbench-submit-test-')));
const cwd = process.cwd();
const VARIABLES = ['SAXBENCH_THREADS', 'SAXBENCH_PROGRESS', 'SAXBENCH_REFERENCE', 'GIT_DIR', 'GIT_WORK_TREE'];
const before = VARIABLES.map((name) => [name, process.env[name]] as const);
const git = (...args: string[]) =>
  execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b.c', ...args], { cwd: folder, stdio: 'pipe' });

test.before(async () => {
  // Threads that load the sources cost more than what they would save.
  process.env['SAXBENCH_THREADS'] = '1';
  process.env['SAXBENCH_PROGRESS'] = 'false';
  const { name } = await initBackend();
  process.env['SAXBENCH_REFERENCE'] = await makeBoard(folder, name);
  // A checkout of its own: whether this one has changes is its developer's matter.
  writeFileSync(join(folder, 'code.txt'), 'committed');
  git('init', '-q');
  git('add', 'code.txt');
  git('commit', '-q', '-m', 'code');
  Object.assign(process.env, { GIT_DIR: join(folder, '.git'), GIT_WORK_TREE: folder });
  mkdirSync(join(folder, 'empty'));
  process.chdir(join(folder, 'empty'));
});

test.after(() => {
  process.chdir(cwd);
  for (const [name, value] of before) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  rmSync(folder, { recursive: true });
});

/** The words of a shell's line: quotes and a comment at its end. */
const wordsOf = (line: string): string[] =>
  [...line.replace(/\s{2,}#.*$/, '').matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain!);

/** The commands of a section's first block. */
function commandsOf(title: string): string[][] {
  const text = readFileSync(join(packageRoot, 'README.md'), 'utf8');
  const section = text.slice(text.indexOf(`\n## ${title}\n`));
  return /```sh\n([\s\S]*?)```/.exec(section)![1]!.trim().split('\n').map(wordsOf);
}

const SUBMISSION = 'reports/submissions/my-sae.json';
const FIELDS = ['--licence', 'MIT', '--citation', 'Doe 2027', '--tuned', 'nothing'];

test('the walk of the README, from an empty folder to the row and its verification', async () => {
  const [install, ...commands] = commandsOf('Submit to the leaderboard');
  assert.equal(install, ['npm', 'init', '-y', '&&', 'npm', 'install', 'saxbench']);
  const outs: string[] = [];
  for (const [program, ...args] of commands) {
    // Its own test is run by new.test.ts, which installs the package for it.
    if (program === 'node') assert.equal(args, ['--test', 'my-sae.test.mjs']);
    else {
      assert.is(program, 'npx');
      const { code, out, said } = await run(...args.slice(1));
      assert.is(code, 0, `${args.join(' ')}\n${out}\n${said}`);
      outs.push(out);
    }
  }
  const [, rehearsed, submitted, verified] = outs;
  assert.match(rehearsed!, /^(⚠ )?my-sae +0\.\d+/m);
  assert.match(rehearsed!, /^(⚠ )?topk +0\.\d+/m);
  assert.not.match(rehearsed!, /^pca/m);
  assert.match(submitted!, /^⚠ my-sae +0\.\d+ +\(2\)$/m);
  assert.match(submitted!, /^⚠ my-sae: Submitted; not verified\.$/m);
  assert.match(
    verified!,
    /^my-sae: bit-equal: 1 of 2 results made again \(seed [01], drawn by \d+\), 1 of them bit for bit$/m,
  );
  assert.equal(readdirSync('reports/submissions').sort(), ['my-sae', 'my-sae.json']);
  const work = 'saxbench-out/submit-my-sae';
  assert.match(readFileSync(join(work, 'LEADERBOARD.md'), 'utf8'), /\| \*\*my-sae\*\* \|/);
  const request = readFileSync(join(work, 'pull-request.md'), 'utf8');
  assert.match(
    request,
    /- To cite: Doe 2027, https:\/\/example\.org\/my-sae\n- Licence: Apache-2\.0\n- Tuned: lr, on rehearsals\n/,
  );
  for (const text of [readFileSync(SUBMISSION, 'utf8'), request]) {
    assert.not.ok(text.includes(folder) || text.includes(homedir()) || text.includes(packageRoot));
  }
});

test('verify: all of it, a record, a forged number, edited code', async () => {
  const whole = await run('verify', SUBMISSION, '--whole', '--record');
  assert.match(whole.out, /bit-equal: 2 of 2 results made again \(every seed\), 2 of them/);
  const record = JSON.parse(readFileSync('reports/submissions/my-sae.verified.json', 'utf8'));
  assert.equal([record.outcome, record.results, record.of, record.seeds], ['bit-equal', 2, 2, [0, 1]]);
  const { readSubmission, writeSubmission, sealedSubmission } = await import('../../reports/submitted/file.ts');
  const { sealed } = await import('../results.ts');
  const honest = await readSubmission(SUBMISSION);
  const forged = honest.results.map((result) => {
    const rows = result.rows.map((row) => {
      const own = row.metrics['explained_variance']!;
      const value = own.value! + 0.01;
      // The samples go with it, or reading it would notice.
      const { samples: _, ...rest } = row;
      return { ...rest, metrics: { ...row.metrics, explained_variance: { ...own, value, ci95: null } } };
    });
    return sealed({ ...result, rows });
  });
  await writeSubmission('reports/submissions', sealedSubmission({ ...honest, results: forged }));
  const found = await run('verify', SUBMISSION, '--draw', '0');
  assert.is(found.code, 1);
  assert.match(
    found.out,
    /^my-sae: DIFFERS: 1 of 2 results made again \(seed 0, drawn by 0\), 0 of them bit for bit$/m,
  );
  assert.match(found.out, /seed 0: differs, though code and instruction set are the same$/m);
  await writeSubmission('reports/submissions', honest);
  appendFileSync('reports/submissions/my-sae/my-sae.ts', '\n// edited\n');
  assert.match(
    await mistake('verify', SUBMISSION),
    /expected the code in .* to be what was submitted; my-sae\.ts is another\.$/,
  );
  assert.match((await run('verify', SUBMISSION, 'my-sae.ts', '--draw', '1')).out, /bit-equal/);
});

/** The plug-in of `new`, changed. */
async function variant(name: string, change: (text: string) => string): Promise<string> {
  await run('new', 'sae', name);
  const text = readFileSync(`${name}.ts`, 'utf8');
  const changed = change(text);
  assert.is.not(changed, text);
  writeFileSync(`${name}.ts`, changed);
  return `${name}.ts`;
}

test('methods that must not pass', async () => {
  const random = await variant('dice', (text) =>
    text.replace('b_enc: tf.zeros([d_sae])', 'b_enc: tf.fill([d_sae], Math.random())'),
  );
  assert.match(
    await mistake('submit', random, ...FIELDS),
    /^submit dice: determinism: expected the same numbers of the same seed; found world features reconstruction seed 0: \w+ [\d.]+, then [\d.]+: draw from the rng/,
  );
  const closure = await variant('closure', (text) =>
    text
      .replace('export default', 'let factor = 0;\n\nexport default')
      .replace(
        'loss(params, { x, target }',
        'toInference: (params) => {\n    factor = 1;\n    return params;\n  },\n  loss(params, { x, target }',
      )
      .replace(
        'decode: (params, codes) => decode(params, codes.values)',
        'decode: (params, codes) => tf.mul(decode(params, codes.values), factor)',
      ),
  );
  assert.match(
    await mistake('submit', closure, ...FIELDS),
    /^submit closure: save and load: expected the scores of what was fitted from what was saved/,
  );
  const nan = await variant('nan', (text) =>
    text.replace(
      'decode: (params, codes) => decode(params, codes.values)',
      'decode: (params, codes) => tf.mul(decode(params, codes.values), Number.NaN)',
    ),
  );
  assert.match(
    await mistake('submit', nan, ...FIELDS),
    /^submit nan: expected a run without failures; found \d+, the first in .*: .*decode.*(finite|NaN)/,
  );
  const reader = await variant(
    'reader',
    (text) =>
      `import { readFileSync } from 'node:fs';\n${text.replace('k > d_sae', 'k > d_sae || readFileSync("/etc/hosts").length < 0')}`,
  );
  assert.match(
    await mistake('submit', reader, ...FIELDS),
    /^submit reader\.ts: reads files by itself; expected them named/,
  );
  const above = await variant(
    'above',
    (text) => `import { outside } from '../outside.ts';\n${text.replace('k > d_sae', 'k > d_sae || outside')}`,
  );
  writeFileSync('../outside.ts', 'export const outside = Date.now() < 0;\n');
  assert.match(
    await mistake('submit', above, ...FIELDS),
    /expected its files in its own folder, .*; found \.\.\/outside\.ts/,
  );
  assert.equal(
    readdirSync('reports/submissions').filter((name) => !name.startsWith('my-sae')),
    [],
  );
});

/** A baseline that keeps the mean and the larger half of what is left of each row. */
const shrink = (name: string) => {
  writeFileSync(
    `${name}.js`,
    `import { defineBaseline, tf } from 'saxbench';
import { principalComponents } from 'saxbench/kit';
export default defineBaseline({
  id: '${name}', title: 'Half of what is left of the mean', version: 1, options: {}, needs: 'activations', seeded: false,
  async fit({ activations, progress }) {
    const mean = Float32Array.from((await principalComponents('${name}', activations, 300, progress)).mean);
    return { tensors: { mean: { shape: [mean.length], data: mean } } };
  },
  restore(state, { d_in }) {
    const mean = tf.tensor1d(state.tensors['mean'].data);
    return {
      d_in, d_sae: d_in, sparse: false,
      encode: (x) => ({ kind: 'dense', values: tf.tidy(() => tf.mul(tf.sub(x, mean), 0.5)) }),
      decode: ({ values }) => tf.add(values, mean),
      directions: () => Float32Array.from({ length: d_in * d_in }, (_, i) => Number(i % (d_in + 1) === 0)),
      dispose: () => mean.dispose(),
    };
  },
});
`,
  );
  return `./${name}.js`;
};

test('a baseline, from its file to its row and its verification', async () => {
  const { code, out } = await run('submit', shrink('shrink'), ...FIELDS);
  assert.is(code, 0);
  assert.match(out, /^⚠ shrink +0\.7[45]\d *$/m, 'a half of each row explains 1 - 1/4');
  const file = 'reports/submissions/shrink.json';
  const { kind, seeds, weights } = JSON.parse(readFileSync(file, 'utf8'));
  assert.equal([kind, seeds, weights.length], ['baseline', [0], 1]);
  assert.equal(readdirSync('reports/submissions/shrink'), ['shrink.js']);
  assert.match(
    (await run('verify', file)).out,
    /^shrink: bit-equal: 1 of 1 results made again \(every seed\), 1 of them/,
  );
});

test('a baseline stands where the protocol has sizes, and nowhere else', async () => {
  const { openRegistry } = await import('../registry.ts');
  const { suiteOfMethod } = await import('../submit/method-suite.ts');
  const registry = openRegistry();
  const { id } = await loadPlugin(shrink('anywhere'), registry);
  const { methods } = await suiteOfMethod({ suite: 'variants', sizes: 'topk' }, [id, 'topk'], registry);
  const places = (name: string) =>
    methods.filter((method) => method.id === name).map(({ subjects, sites }) => [subjects, sites]);
  assert.is(places(id).length, 3);
  assert.equal(places(id), places('topk'));
});

test('a trained SAE: its weights stay where they are, and verify is told the place', async () => {
  const files = readdirSync(join(folder, 'reference-store/steps/fit'), { recursive: true, encoding: 'utf8' });
  const trained = files.find(
    (file) =>
      /saelens$/.test(file) &&
      readFileSync(join(folder, 'reference-store/steps/fit', file, 'cfg.json'), 'utf8').includes('"topk"'),
  )!;
  cpSync(join(folder, 'reference-store/steps/fit', trained), 'trained', { recursive: true });
  const { out } = await run('submit', 'kept=./trained', ...FIELDS);
  assert.match(out, /^⚠ kept +0\.\d+/m);
  assert.match(out, /^⚠ kept \(seed 0\): Trained elsewhere: on what, its authors say and nobody can check\.$/m);
  const file = 'reports/submissions/kept.json';
  assert.not.ok(readFileSync(file, 'utf8').includes(folder) || readdirSync('reports/submissions').includes('kept'));
  assert.match(
    await mistake('verify', file),
    /expected the place of its checkpoint, which is in no submission: verify kept\.json CHECKPOINT\.$/,
  );
  assert.match(
    (await run('verify', file, './trained')).out,
    /^kept: bit-equal: 1 of 1 results made again \(every seed\)/m,
  );
  appendFileSync('trained/cfg.json', ' ');
  assert.match(
    await mistake('verify', file, './trained'),
    /expected the checkpoint \.\/trained to be what was submitted; cfg\.json is another\.$/,
  );
});

test('mistakes, one line each', async () => {
  await run('new', 'task', 'my-task');
  const wrong: [given: string[], told: RegExp][] = [
    [['submit'], /^submit: expected <path>/],
    [['submit', './none.ts', ...FIELDS], /there is no such file/],
    [['submit', './my-sae.ts'], /^submit: --licence: expected an SPDX id, .*; found ''|^submit: expected --licence/],
    [['submit', './my-sae.ts', '--licence', 'MTI'], /found 'MTI'\. Did you mean: MIT/],
    [['submit', './my-sae.ts', '--licence', 'MIT'], /^submit: expected --citation; found none/],
    [
      ['submit', './my-sae.ts', '--licence', 'MIT', '--citation', 'me'],
      /^submit: expected --tuned; found none: e\.g\. --tuned 'nothing'\.$/,
    ],
    [['submit', './my-sae.ts', ...FIELDS], /my-sae\.json is there already; choose another name, or --overwrite/],
    [['submit', './my-task.ts', ...FIELDS], /expected an SAE, a baseline or a checkpoint: a method; found a task\.$/],
    [['submit', './my-sae.ts', '--plugin', 'x.ts', ...FIELDS], /--plugin is of a checkpoint/],
    [
      ['submit', './My_SAE', ...FIELDS],
      /expected a name of lower-case letters.*; found 'My_SAE': name it, NAME=My_SAE\.$/,
    ],
    [['submit', 'mine=./nowhere', ...FIELDS], /nowhere/],
    [['submit', './my-sae.ts', '--reference', './none', ...FIELDS], /protocol\.json does not exist/],
    [['submit', './my-sae.ts', '--backend', 'cpu'], /unknown flag --backend/],
    [['validate', SUBMISSION], /^submission my-sae: expected results of the suite variants; found one of mini/],
    [['verify', 'none.json'], /none\.json does not exist/],
    [['verify', SUBMISSION, '--draw', '1', '--whole'], /--draw names one seed, --whole all of them/],
    [['verify', 'saxbench-out/submit-my-sae/pull-request.md'], /not valid JSON/],
  ];
  for (const [given, told] of wrong) assert.match(await mistake(...given), told, given.join(' '));
  writeFileSync(join(folder, 'code.txt'), 'changed');
  assert.match(
    await mistake('submit', './my-sae.ts', '--overwrite', ...FIELDS),
    /^submit my-sae: expected results of committed code; found a checkout of saxbench with changes \(after [0-9a-f]{12}\)/,
  );
  git('checkout', '-q', 'code.txt');
});

test.run();
