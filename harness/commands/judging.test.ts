/** @file `--judge` and its kin on the command line: what is set, refused, and estimated. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openRegistry } from '../registry.ts';
import type { Suite } from '../schema/suite.generated.ts';
import { setJudge, setJudgeModel } from '../suite/set-judge.ts';
import { mistake, runCommand } from '../testing/command-line.ts';
import { pricesOf } from './judging.ts';

const test = suite('commands/judging');
const folder = mkdtempSync(join(tmpdir(), 'saxbench-judging-'));
test.after(() => rmSync(folder, { recursive: true }));

const URL = 'http://127.0.0.1:1234/v1';
const RUN = [
  'run',
  'steering-control',
  '--limit',
  '4',
  '--only',
  'sites=blocks.2.hook_resid_post',
  '--only',
  'tasks=steering',
  '--only',
  'methods=diffmean',
];
const places = ['--store', join(folder, 'store'), '--out', join(folder, 'out')];

test('what a person forgot or mistook is one line with the mend, before anything is computed', async () => {
  const cases: [string[], RegExp][] = [
    [['--judge', 'openai'], /judge openai: expected the endpoint that it asks: --judge-url, as https/],
    [['--judge', 'openai', '--judge-url', URL], /judge openai: expected a model: --judge-model, as gpt-4o-mini/],
    [['--judge', 'opena'], /unknown judge 'opena'\. Did you mean: openai\?/],
    [
      ['--judge', 'dataset,dataset'],
      /^--judge dataset,dataset: expected ids of judges with commas between them, each once/,
    ],
    [['--judge', 'openai,'], /^--judge openai,: expected ids/],
    [['--judge-model', 'm'], /^--judge-model m: expected a judge that asks a model: --judge openai/],
    [
      ['--judge-url', 'https://me:secret@host/v1'],
      /^--judge-url: .*user or password: put the key into SAXBENCH_JUDGE_KEY/,
    ],
    [['--max-judge-calls', '-1'], /^--max-judge-calls: expected a whole number of at least 0/],
  ];
  for (const [given, told] of cases) {
    const message = await mistake(...RUN, ...places, ...given);
    assert.match(message, told);
    assert.not.match(message, /secret/);
  }
  assert.match(
    await mistake('run', '--only', 'tasks=monosemanticity', '--judge', 'openai'),
    /--judge openai: expected a task that is judged/,
  );
  const config = join(folder, 'config.json');
  writeFileSync(config, JSON.stringify({ 'judge-url': 'https://thief.example/v1' }));
  assert.match(
    await mistake(...RUN, '--config', config),
    /judge-url: expected on the command line or in SAXBENCH_JUDGE_URL alone/,
  );
});

test('--dry-run says what would be asked for and what it costs, and sends nothing', async () => {
  const given = [
    '--judge',
    'openai,dataset',
    '--judge-url',
    URL,
    '--judge-model',
    'm',
    '--dry-run',
    '--judge-price',
    '1,2',
  ];
  const { out } = await runCommand(...RUN, ...places, ...given, '--json');
  const { judging, steps } = JSON.parse(out) as { judging: Record<string, number>[]; steps: { kind: string }[] };
  // Of diffmean and of each control, 2 concepts: 2 ways · ((2 + 2 factors) · 1 prompt + 1) + 1 unsteered.
  const methods = steps.filter(({ kind }) => kind === 'evaluate').length;
  const texts = methods * 2 * (2 * (4 * 1 + 1) + 1);
  const [{ price, tokensSent, tokensReceived, requests, ...names }] = judging as [Record<string, number>];
  assert.equal(names, { judge: 'openai', model: 'm', endpoint: URL, texts });
  assert.ok(requests! >= texts * 3.3 && requests! <= texts * 3.3 + methods);
  assert.ok(Math.abs(price! - (tokensSent! + 2 * tokensReceived!) / 1e6) < 1e-12);
});

test('prices', () => {
  assert.equal(pricesOf('0.15,0.60'), [0.15, 0.6]);
  for (const text of ['1', '1,', 'a,b', '1,-2', '1,2,3'])
    assert.throws(() => pricesOf(text), /--judge-price: expected two prices/);
});

test('options of judges stay with those that stay; the model is given to those that ask one', async () => {
  const registry = openRegistry();
  const suiteOf = (options: Record<string, unknown>) =>
    ({ tasks: [{ id: 'steering', options }, { id: 'reconstruction' }] }) as Suite;
  const set = async (options: Record<string, unknown>, judge?: string, model?: string) => {
    const judged = await setJudgeModel(await setJudge(suiteOf(options), judge, registry), model, registry);
    return judged.tasks[0]!.options;
  };
  const own = { judge: 'openai', judgeOptions: { retest: 0.5 } };
  assert.equal(await set({}, 'openai', 'm'), { judge: 'openai', judgeOptions: { model: 'm' } });
  assert.equal(await set(own, undefined, 'm'), { judge: 'openai', judgeOptions: { retest: 0.5, model: 'm' } });
  assert.equal(await set(own, 'dataset,openai', 'm'), {
    judge: ['dataset', 'openai'],
    judgeOptions: { openai: { retest: 0.5, model: 'm' } },
  });
  assert.equal(await set(own, 'dataset'), { judge: 'dataset', judgeOptions: {} });
  assert.equal(await set({ factors: [1] }), { factors: [1] });
});

test.run();
