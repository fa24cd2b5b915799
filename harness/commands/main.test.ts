/** @file The command line: help, suggestions, exit codes, and a suite of plug-ins from a file, end to end. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { SETTINGS } from '../config/settings.ts';
import { packageRoot } from '../paths.ts';
import { mistake, runCommand as run } from '../testing/command-line.ts';

const test = suite('commands');
const folder = mkdtempSync(join(tmpdir(), 'saxbench-commands-'));
test.after(() => rmSync(folder, { recursive: true }));

test('help of every command shows its flags, their variables and examples', async () => {
  const { out } = await run('--help');
  for (const name of ['run', 'train', 'report', 'ls', 'store', 'validate', 'doctor'])
    assert.match(out, new RegExp(`saxbench ${name}`));
  const help = (await run('run', '--help')).out.replace(/\s+/g, ' ');
  for (const { name, commands } of SETTINGS) {
    if (!commands.includes('run')) continue;
    assert.ok(help.includes(`--${name}`), name);
    assert.ok(help.includes(`[SAXBENCH_${name.toUpperCase().replaceAll('-', '_')}]`), name);
  }
  assert.ok(help.includes('saxbench run default --limit 100'));
});

test('unknown names of every kind get a suggestion', async () => {
  assert.match(await mistake('rnu'), /unknown command 'rnu'\. Did you mean: run\?/);
  assert.match(await mistake('ls', 'baseline'), /unknown kind 'baseline'\. Did you mean: baselines\?/);
  assert.match(await mistake('run', 'default', '--lmit', '3'), /run: unknown flag --lmit\. Did you mean: --limit\?/);
  assert.match(await mistake('run', '--backend', 'wsam'), /Did you mean: wasm\?/);
  assert.match(await mistake('ls', 'sae', 'extra'), /ls: unexpected argument 'extra'/);
  assert.match(await mistake('ls'), /ls: expected <kind>: one of sae, baselines/);
  assert.match(await mistake('run', '--limit'), /limit/);
  assert.match(await mistake(), /expected a command: run, train/);
  assert.match(await mistake('run', 'no-such-suite'), /unknown suite 'no-such-suite'/);
});

test('a flag of another command is unknown', async () => {
  assert.match(await mistake('ls', 'sae', '--limit', '3'), /ls: unknown flag --limit/);
});

test('ls prints lines, or JSON and nothing else', async () => {
  const text = (await run('ls', 'sae')).out;
  assert.match(
    text,
    /^topk +TopK.*\n +Gao et al. 2024, arXiv:2406.04093\n +options: k 16, auxAlpha 0.03125, auxK null/m,
  );
  const list = JSON.parse((await run('ls', 'sae', '--json')).out) as { id: string; hyperparameters: object }[];
  const ids = list.map(({ id }) => id);
  assert.equal(ids, [...ids].sort());
  assert.ok(list.every(({ hyperparameters }) => typeof hyperparameters === 'object'));
});

const modelFolder = join(folder, 'model');
const plugin = join(folder, 'toys.ts');

/** The toys as plug-in files: `--plugin` takes one each. */
function toyFiles(): string[] {
  mkdirSync(modelFolder, { recursive: true });
  writeFileSync(join(modelFolder, 'config.json'), '{"model_type":"toy"}');
  writeFileSync(plugin, '');
  const toys = new URL('../testing/toy.ts', import.meta.url).href;
  return ['subject:toy', 'dataset:toy-words', 'baseline:toy-mean', 'baseline:toy-null', 'task:toy-task'].map((name) => {
    const [kind, id] = name.split(':');
    const file = join(folder, `${id}.ts`);
    writeFileSync(
      file,
      `import { toyRegistry } from '${toys}'; export default await toyRegistry().get('${kind}', '${id}');`,
    );
    return file;
  });
}

function suiteFile(more: object = {}): string {
  const file = join(folder, 'toy.json');
  const content = {
    id: 'toy',
    title: 'Toy',
    subjects: [
      {
        path: './model',
        sites: ['blocks.0.hook_resid_post'],
        dataset: { id: 'toy-words' },
        activations: { train: 20, test: 10 },
      },
    ],
    methods: [{ id: 'toy-mean' }, { id: 'toy-mean', name: 'half', options: { scale: 0.5 } }],
    tasks: [{ id: 'toy-task' }],
    seeds: [0, 1],
    ...more,
  };
  writeFileSync(file, JSON.stringify(content));
  return file;
}

const plugins = toyFiles().flatMap((file) => ['--plugin', file]);
const places = ['--out', join(folder, 'out'), '--store', join(folder, 'store'), '--backend', 'cpu', '--no-progress'];

test('SAEs at a joint site of another subject have sizes by its whole width, and the run says so', async () => {
  const joint = ['--site', 'blocks.1.hook_resid_post+blocks.2.hook_resid_post'];
  const subject = ['--subject', join(packageRoot, 'models/pretrained/tiny-lm-planted'), ...joint];
  const { said } = await run('run', 'default', ...subject, ...places, '--only', 'topk', '--dry-run');
  assert.match(said, /hook_resid_post\+blocks\.2\.hook_resid_post \(d_in 256\)/);
  assert.match(said, /^topk: d_sae 2048, k 16 \(by d_in/m);
});

test('a subject whose width is not known ahead: that sizes are the suite’s is said', async () => {
  const subject = ['--subject', modelFolder, '--site', 'blocks.0.hook_resid_post', '--dataset', 'toy-words'];
  const { said } = await run('run', 'default', ...subject, ...plugins, ...places, '--dry-run');
  assert.match(said, /k and d_sae of the SAEs are the suite's: the family of .* does not tell the width of its sites/);
});

test('run: the whole way, then nothing is left to do', async () => {
  const first = await run('run', suiteFile(), ...plugins, ...places);
  assert.is(first.code, 0);
  assert.match(first.out, /results: 5 \(0 were there already, 5 new\)/);
  assert.match(first.out, /toy-task \(value\)/);
  for (const name of ['LEADERBOARD.md', 'results.csv', 'report.html'])
    assert.ok(existsSync(join(folder, 'out', name)), name);
  const again = await run('run', suiteFile(), ...plugins, ...places, '--json');
  const summary = JSON.parse(again.out) as { present: number; results: number; computed: object };
  assert.equal([summary.present, summary.results], [5, 5]);
  assert.match(again.out, /"scores": \[[\s\S]*"metric": "value"/);
  assert.equal(summary.computed, { activations: 0, fit: 0, prepare: 0, evaluate: 0 });
});

test('store: shown, checked, pruned only with --yes', async () => {
  const at = ['--store', join(folder, 'store')];
  const listed = JSON.parse((await run('store', 'ls', ...at, '--json')).out) as { steps: { label: string }[] };
  assert.ok(listed.steps.some(({ label }) => label.includes('toy-mean')));
  const verified = await run('store', 'verify', ...at);
  assert.is(verified.code, 0);
  assert.match(verified.out, /^\d+ steps: 0 damaged .* 0 whose inputs are gone .* 0 left unfinished\.$/m);
  const shown = await run('store', 'gc', '--max-size', '0', ...at);
  assert.match(shown.out, /would remove \d+ steps .*; 0 steps stay\. Add --yes to do it\.$/m);
  const unused = await run('store', 'gc', '--unused', '--out', join(folder, 'out'), '--yes', ...at);
  assert.match(unused.out, /^removed 0 steps and 0 leftovers/m);
  assert.match(unused.out, /^\d+ results below \S+out came from \d+ steps$/m);
  assert.match(unused.out, /^results elsewhere count for nothing: name their folders with --results\.$/m);
  const both = ['--results', join(folder, 'out'), '--results', join(folder, 'out', 'results')];
  assert.is((await run('store', 'gc', '--unused', ...both, ...at)).out.match(/results below/g)!.length, 2);
  const after = JSON.parse((await run('store', 'ls', ...at, '--json')).out) as typeof listed;
  assert.is(after.steps.length, listed.steps.length);
  assert.match(await mistake('store', 'ls', '--yes', ...at), /^store ls: --yes belongs to store gc\.$/);
  assert.match(
    await mistake('store', 'gc', '--unused', '--out', join(folder, 'nowhere'), ...at),
    /there is no folder .*nowhere/,
  );
  assert.match(
    await mistake('store', 'gc', '--unused', '--out', modelFolder, ...at),
    /expected results below .*found none/,
  );
  assert.match(await mistake('store', 'verfy', ...at), /unknown action 'verfy'\. Did you mean: verify\?/);
});

test('run --dry-run computes nothing and says what is there', async () => {
  const { out } = await run('run', suiteFile({ seeds: [0, 7] }), ...plugins, ...places, '--dry-run', '--json');
  const { steps } = JSON.parse(out) as { steps: { kind: string; label: string; done: boolean }[] };
  assert.equal(
    steps.filter(({ done }) => !done).map(({ kind, label }) => `${kind} ${label.split(' ').slice(2).join(' ')}`),
    ['fit toy-mean seed 7', 'evaluate toy-mean toy-task seed 7', 'fit half seed 7', 'evaluate half toy-task seed 7'],
  );
});

/** The folder of a method's results: its name with its identity. */
function folderOf(site: string, method: string): string {
  const own = readdirSync(site).filter((name) => name.replace(/-[0-9a-f]{8}$/, '') === method);
  assert.is(own.length, 1);
  return join(site, own[0]!);
}

test('run --only, --seed and --limit', async () => {
  const out = join(folder, 'part');
  const { code } = await run(
    'run',
    suiteFile(),
    ...plugins,
    ...places,
    '--out',
    out,
    '--only',
    'half',
    '--seed',
    '1',
    '--limit',
    '5',
  );
  assert.is(code, 0);
  const site = join(out, 'results/model/blocks.0.hook_resid_post');
  assert.not.ok(readdirSync(site).some((name) => name.startsWith('toy-mean')));
  const result = JSON.parse(readFileSync(join(folderOf(site, 'half'), 'toy-task/seed-1.json'), 'utf8'));
  assert.is(result.limited, true);
  assert.is(result.provenance.arguments.resolved.limit, 5);
  assert.ok(result.provenance.arguments.passed.includes('--only'));
});

test('a folder of results is of one suite at one size: nothing of another replaces it', async () => {
  const out = join(folder, 'whole');
  const into = (...more: string[]) => run('run', suiteFile(), ...plugins, ...places, '--out', out, ...more);
  for (const seed of ['0', '1']) await into('--only', `seeds=${seed}`);
  const before = readFileSync(join(out, 'results.csv'), 'utf8');
  const attempt = (...more: string[]) => mistake('run', suiteFile(), ...plugins, ...places, '--out', out, ...more);
  assert.match(
    await attempt('--limit', '5'),
    /--out .*whole: expected .* suite toy with --limit 5; found results of suite toy without --limit: name another/,
  );
  assert.is(readFileSync(join(out, 'results.csv'), 'utf8'), before);
  assert.match(
    await attempt('--subject', modelFolder, '--site', 'blocks.0.hook_resid_post'),
    /suite toy-model without --limit; found results of suite toy /,
  );
  const limited = join(folder, 'part');
  assert.match(
    await mistake('run', suiteFile(), ...plugins, ...places, '--out', limited),
    /found results of suite toy with --limit 5/,
  );
  const edited = ['run', suiteFile({ tasks: [{ id: 'toy-task', options: { offset: 1 } }] }), ...plugins, ...places];
  assert.match(await mistake(...edited, '--out', out), /task\.offset 1, as this run; found .* 0 .* --overwrite\.$/);
  assert.is(readFileSync(join(out, 'results.csv'), 'utf8'), before);
  assert.match(
    (await run(...edited, '--out', out, '--overwrite')).said,
    /^\d+ results under other settings are replaced/m,
  );
});

test('run: one crashing method gives exit code 1, the others their results', async () => {
  const methods = [{ id: 'toy-mean', name: 'bad', options: { fail: 'bug' } }, { id: 'toy-mean' }];
  const { code, out, said } = await run('run', suiteFile({ methods }), ...plugins, ...places);
  assert.is(code, 1);
  assert.match(said, /failed: .*bad seed 0 and 1 more: TypeError: a bug in the method/);
  assert.match(out, /results: 3/);
});

test('run: a plug-in’s own fault is named with its file, and the other steps go on', async () => {
  const file = join(folder, 'faulty.ts');
  const metric = `{ description: 'V', direction: 'max', range: [0, 1], unit: '', main: true }`;
  writeFileSync(
    file,
    `import { defineTask } from 'saxbench';
     export default defineTask({
       id: 'faulty', title: 'F', version: 1, options: {}, axes: {}, seeded: false, metrics: { value: ${metric} },
       async run({ method }) {
         if (method.id === 'toy-null') return method.nothing.here;
         return { rows: [{ axes: {}, metrics: { value: { value: 2, ci95: null, n: 1 } } }] };
       } });`,
  );
  const suite = suiteFile({
    methods: [{ id: 'toy-mean' }, { id: 'toy-null' }],
    tasks: [{ id: 'toy-task' }, { id: 'faulty' }],
  });
  const { code, said, out } = await run('run', suite, ...plugins, '--plugin', file, ...places, '--seed', '0');
  assert.is(code, 2);
  assert.match(
    said,
    /failed: .*toy-mean seed 0 faulty: plug-in .*faulty\.ts: task faulty.*expected a value in \[0, 1\]; found 2\. Mend/,
  );
  assert.match(said, /failed: .*toy-null seed 0 faulty: plug-in .*faulty\.ts:5: TypeError: .*'here'/);
  assert.match(out, /results: 2 /);
});

test('run: mistakes in the suite', async () => {
  const attempt = (more: object, ...extra: string[]) =>
    mistake('run', suiteFile(more), ...plugins, ...places, ...extra);
  assert.match(await attempt({ seed: [1] }), /the top level has an unknown key 'seed'\. Did you mean: seeds/);
  assert.match(await attempt({ methods: [{ id: 'toy-maen' }] }), /unknown method 'toy-maen'\. Did you mean: toy-mean/);
  assert.match(await attempt({ tasks: [{ id: 'toy-tsak' }] }), /unknown task 'toy-tsak'\. Did you mean: toy-task/);
  assert.match(
    await attempt({ methods: [{ id: 'toy-mean', options: { scael: 1 } }] }),
    /suite toy: method toy-mean: .*'scael'\. Did you mean: scale/,
  );
  assert.match(
    await attempt({ methods: [{ id: 'toy-mean' }, { id: 'toy-mean' }] }),
    /the name 'toy-mean' occurs twice/,
  );
  assert.match(
    await attempt({ methods: [{ id: 'toy-mean', training: { lr: 1 } }] }),
    /has 'training', which only SAEs have/,
  );
  assert.match(await attempt({}, '--only', 'metods=x'), /unknown axis of --only 'metods'\. Did you mean: methods/);
  assert.match(await attempt({}, '--site', 'blocks.0.hook_resid_pre'), /unknown site of model/);
  assert.match(await attempt({}, '--out', '/dev/null/x'), /cannot write \/dev\/null\/x/);
  assert.match(await attempt({}, '--update-leaderboard'), /expected a whole run of the suite real or variants/);
  assert.match(await attempt({ id: 'other' }), /id: expected 'toy', as the file is named; found 'other'/);
});

test('validate says what a file is, and what is wrong with it', async () => {
  assert.match(
    (await run('validate', suiteFile(), ...plugins)).out,
    /valid: a suite: toy, 1 subjects, 2 methods, 1 tasks/,
  );
  const site = join(folderOf(join(folder, 'out/results/model/blocks.0.hook_resid_post'), 'half'), 'toy-task');
  assert.match(
    (await run('validate', join(site, 'seed-0.json'))).out,
    /valid: a result: model .* half toy-task seed 0, 1 rows/,
  );
  assert.match(await mistake('validate', join(folder, 'none')), /there is no file or folder/);
  assert.match(await mistake('validate', plugin), /expected a suite or result/);
  assert.match(await mistake('validate', suiteFile({ tasks: [{ id: 'x' }] }), ...plugins), /unknown task 'x'/);
});

test('validate finds options that contradict one another', async () => {
  const file = join(folder, 'world.json');
  const topk = { id: 'topk', options: { d_sae: 64, k: 8 } };
  const attempt = async (methods: object[], more: object = {}) => {
    const activations = { train: 10, test: 5 };
    const content = {
      ...{ id: 'world', title: 'World', tasks: [{ id: 'reconstruction' }], methods },
      subjects: [
        { id: 'tiny-lm-planted', sites: ['blocks.0.hook_resid_post'], dataset: { id: 'text-world' }, activations },
        { id: 'tiny-clip', sites: ['vision.embed'], dataset: { id: 'image-world' }, activations },
      ],
      ...more,
    };
    writeFileSync(file, JSON.stringify(content));
    return mistake('validate', file);
  };
  assert.match(await attempt([{ id: 'topk', options: { d_sae: 4, k: 8 } }]), /topk: k: .*d_sae = 4, found 8/);
  // 0.05 × 128 latents at tiny-lm-planted's site.
  assert.match(await attempt([{ id: 'topk', options: { expansion: 0.05, k: 8 } }]), /d_sae = 6, found 8/);
  assert.match(await attempt([{ id: 'jumprelu', options: { d_sae: 64, targetL0: 65 } }]), /targetL0: .*at most d_sae/);
  assert.match(await attempt([{ id: 'pca', options: { components: 129 } }]), /components must be at most d_in = 128/);
  assert.match(await attempt([topk], { limits: { methods: { topk: { d_sae: 4 } } } }), /k: .*d_sae = 4, found 8/);
  assert.match(await attempt([topk], { limits: { tasks: { stering: {} } } }), /limits\.tasks 'stering'/);
  const sites = [{ id: 'tiny-lm-planted', sites: ['blocks.9.hook_resid_post'], dataset: { id: 'text-world' } }];
  assert.match(await attempt([topk], { subjects: sites }), /unknown site of tiny-lm-planted in suite world 'blocks\.9/);
});

test('a dataset of images on a text subject is refused in one line', async () => {
  const given = [
    '--sae',
    'topk',
    '--subject',
    'tiny-lm-planted',
    '--site',
    'blocks.2.hook_resid_post',
    '--dataset',
    'image-world',
  ];
  assert.match(
    await mistake('train', ...given, '--out', join(folder, 'clash'), ...places.slice(2)),
    /subject tiny-lm-planted: site blocks\.2\.hook_resid_post: expected a dataset of texts; found image-world, of images/,
  );
});

test('report renders again from results alone', async () => {
  const out = join(folder, 'again');
  const { out: printed } = await run('report', join(folder, 'out'), '--out', out);
  assert.match(printed, /wrote .*LEADERBOARD\.md/);
  assert.ok(existsSync(join(out, 'report.html')));
  assert.match(await mistake('report', join(folder, 'nothing')), /expected results below .*; found none/);
});

test('train: what is missing is named', async () => {
  assert.match(await mistake('train'), /train: expected --sae, as in --sae topk; found none/);
  assert.match(await mistake('train', '--sae', 'topk', '--option', 'k'), /expected NAME=VALUE/);
  assert.match(await mistake('train', '--sae', 'topk', '--subject', modelFolder), /expected --site/);
});

test('train writes SAELens’ layout', async () => {
  const out = join(folder, 'sae');
  const options = ['d_sae=8', 'k=2', 'tokens=320', 'batchSize=32'].flatMap((option) => ['--option', option]);
  const place = ['--subject', modelFolder, '--site', 'blocks.0.hook_resid_post'];
  const subject = [...place, '--dataset', 'toy-words', '--items', '20'];
  const where = ['--out', out, '--store', join(folder, 'store'), '--backend', 'cpu', '--no-progress'];
  const { code } = await run('train', '--sae', 'topk', ...subject, ...options, ...plugins, ...where);
  assert.is(code, 0);
  assert.match((await run('validate', out)).out, /valid: an SAE: topk, d_in 4, d_sae 8/);
  const training = JSON.parse(readFileSync(join(out, 'training.json'), 'utf8'));
  assert.is(training.tokens, 320);
  const same = ['train', '--sae', 'topk', ...subject, ...options, ...plugins, ...where];
  assert.is((await run(...same)).code, 0, 'the same SAE again');
  writeFileSync(join(out, 'activation_scaler.json'), '{}');
  assert.match(await mistake(...same, '--seed', '1'), /holds another SAE .*name another folder, or add --overwrite/);
  assert.is((await run(...same, '--seed', '1', '--overwrite')).code, 0);
  assert.not.ok(existsSync(join(out, 'activation_scaler.json')), 'nothing of the other one is left');
  const strange = join(folder, 'strange');
  mkdirSync(strange);
  writeFileSync(join(strange, 'thesis.txt'), 'x');
  assert.match(await mistake(...same.with(same.indexOf(out), strange), '--overwrite'), /found thesis\.txt in it/);
  const bare = join(folder, 'bare.ts');
  const variant = new URL('../../models/sae/topk.ts', import.meta.url).href;
  writeFileSync(
    bare,
    `import topk from '${variant}'; export default { ...topk, id: 'bare', toSaeLens: undefined, foldScale: undefined };`,
  );
  const plain = join(folder, 'bare');
  const smallest = [...plugins, '--plugin', bare, ...where.with(1, plain)];
  const { said } = await run('train', '--sae', 'bare', ...subject, ...options, ...smallest);
  assert.match(said, /'bare' has no toSaeLens/);
  assert.match((await run('validate', plain, '--plugin', bare)).out, /valid: an SAE: bare, d_in 4, d_sae 8/);
  const sizes = ['d_sae=2', 'k=4'].flatMap((option) => ['--option', option]);
  const small = [...plugins, ...where.with(1, join(folder, 'too small'))];
  const tooSmall = mistake('train', '--sae', 'topk', ...subject, ...sizes, ...small);
  assert.match(await tooSmall, /topk.*k.*2/);
});

test.run();
