/** @file `saxbench compare` as people call it: exit codes, baselines, files, and ten wrong inputs. */
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { resultOf } from '../../reports/testing/runs.ts';
import { createRng } from '../num/rng.ts';
import { resultFiles, writeResult } from '../results.ts';
import type { Result } from '../schema/result.generated.ts';
import { mistake, runCommand as run } from '../testing/command-line.ts';
import { inFolder } from '../testing/failing.ts';

const test = suite('compare');

/** Four seeds about a level. */
function topk(level: number): Result[] {
  const rng = createRng(`level ${level}`);
  const near = (value: number) => value + 0.004 * rng.normal();
  return [0, 1, 2, 3].map((seed) => resultOf('topk', seed, [near(level), near(level - 0.1), near(level + 0.1)]));
}

async function written(folder: string, results: readonly Result[]): Promise<string> {
  for (const result of results) await writeResult(folder, result);
  return folder;
}

test('exit code 1 for a rule that failed alone; files of every format', () =>
  inFolder(async (folder) => {
    const [a, b] = [await written(join(folder, 'a'), topk(0.8)), await written(join(folder, 'b'), topk(0.7))];
    const plain = await run('compare', a, b);
    assert.is(plain.code, 0);
    assert.match(plain.out, /# Comparison: no rules: nothing can fail/);
    assert.match(plain.out, /\| worse \| .* topk /);
    const out = join(folder, 'out');
    const failed = await run('compare', a, b, '--fail-if', 'auroc drops 0.02 at 95%', '--out', out, '--github');
    assert.is(failed.code, 1);
    assert.match(failed.out, /^::error title=auroc drops 0.02 at 95%25::tiny-lm\S* .* topk auroc: -0\.\d+ \(p = /m);
    for (const name of ['compare.md', 'compare.html', 'compare.json', 'compare.junit.xml'])
      assert.ok(existsSync(join(out, name)), name);
    assert.match(await readFile(join(out, 'compare.junit.xml'), 'utf8'), /<failure message=/);
    const json = await run('compare', b, a, '--fail-if', 'auroc drops 0.02 at 95%', '--json');
    assert.is(json.code, 0);
    const { failed: none, differences } = JSON.parse(json.out) as { failed: boolean; differences: { state: string }[] };
    assert.equal([none, differences[0]!.state], [false, 'tested']);
  }));

test('the first green run becomes the baseline, a red one does not, a single file can be compared too', () =>
  inFolder(async (folder) => {
    const [a, b] = [await written(join(folder, 'a'), topk(0.8)), await written(join(folder, 'b'), topk(0.7))];
    const places = ['--baseline', join(folder, 'base'), '--fail-if', 'main worsens'];
    assert.match(await mistake('compare', 'baseline', a, ...places), /expected a baseline of suite small .*--promote/);
    assert.match((await run('compare', 'baseline', a, ...places, '--promote')).out, /no baseline yet/);
    const file = join(folder, 'base', 'small.jsonl');
    const first = await readFile(file, 'utf8');
    const red = await run('compare', 'baseline', b, ...places, '--promote');
    assert.is(red.code, 1);
    assert.match(red.said, /does not become the baseline/);
    assert.is(await readFile(file, 'utf8'), first);
    const green = await run('compare', 'baseline', a, ...places, '--promote');
    assert.is(green.code, 0);
    assert.match(green.out, /4 values|equal bit by bit/);
    assert.is((await run('compare', file, b, '--fail-if', 'main worsens')).code, 1);
    const [one] = await resultFiles(b);
    assert.is((await run('compare', one!, file)).code, 0);
  }));

test('rules come from the suite that is named', () =>
  inFolder(async (folder) => {
    const [a, b] = [await written(join(folder, 'a'), topk(0.8)), await written(join(folder, 'b'), topk(0.7))];
    const file = join(folder, 'mine.json');
    const content = {
      ...{ id: 'mine', title: 'Mine', failIf: ['auroc drops'], methods: [{ id: 'topk' }], tasks: [{ id: 'steering' }] },
      subjects: [{ id: 'tiny-lm-planted', sites: ['blocks.2.hook_resid_post'], dataset: { id: 'text-world' } }],
    };
    await writeFile(file, JSON.stringify(content));
    assert.is((await run('compare', a, b, '--suite', file)).code, 1);
    await writeFile(file, JSON.stringify({ ...content, failIf: ['auroc dropz'] }));
    assert.match(await mistake('compare', a, b, '--suite', file), /suite .*: failIf: expected a rule such as/);
  }));

test('ten wrong inputs: one line each', () =>
  inFolder(async (folder) => {
    const [a, b] = [await written(join(folder, 'a'), topk(0.8)), await written(join(folder, 'b'), topk(0.7))];
    const empty = join(folder, 'empty');
    await mkdir(empty);
    const text = join(folder, 'notes.txt');
    await writeFile(text, 'hello');
    const copies = join(folder, 'copies.jsonl');
    const line = await readFile((await resultFiles(a))[0]!, 'utf8');
    const flat = JSON.stringify(JSON.parse(line));
    await writeFile(copies, `${flat}\n${flat}\n`);
    const edited = join(folder, 'edited.jsonl');
    await writeFile(edited, `${flat.replace('"limited":false', '"limited":true')}\n`);
    const other = { ...resultOf('relu', 0, [0.1, 0.2]), suite: { id: 'other', title: 'Other' } };
    const mixed = await written(join(folder, 'mixed'), [...topk(0.8), other]);
    const cases: [string[], RegExp][] = [
      [[join(folder, 'none'), b], /expected a folder of results, a result file or 'baseline'; found no '/],
      [[a, empty], /no results below .*empty/],
      [[a, text], /expected a folder of results, a \.json or a \.jsonl; found/],
      [[copies, b], /copies\.jsonl result 2: repeats result 1; remove one/],
      [[edited, b], /edited\.jsonl result 1: was edited/],
      [[a, a], /expected two runs; found .* twice/],
      [['baseline', mixed], /expected results of one suite in .*mixed; found/],
      [[a, b, '--fail-if', 'auroc drops 2 percent'], /--fail-if: expected a rule such as/],
      [[a, b, '--fail-if', 'aurok drops'], /Did you mean: auroc/],
      [[a, b, '--across', 'training.lrr'], /--across training\.lrr: expected a setting of these results/],
      [[a, b, '--suite', 'nightli'], /unknown suite 'nightli'\. Did you mean: nightly\?/],
      [[a, b, '--json', '--github'], /expected --json or --github; found both/],
    ];
    for (const [args, expected] of cases) assert.match(await mistake('compare', ...args), expected);
  }));

test('a damaged result is left out, said, and no success', () =>
  inFolder(async (folder) => {
    const [a, b] = [await written(join(folder, 'a'), topk(0.8)), await written(join(folder, 'b'), topk(0.8))];
    await writeFile((await resultFiles(b))[0]!, '{');
    const { code, out } = await run('compare', a, b);
    assert.is(code, 2);
    assert.match(out, /## Set aside\n\n- .*seed-0\.json/);
  }));

test.run();
