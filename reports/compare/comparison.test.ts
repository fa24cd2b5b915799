/** @file What is compared, what is set aside and said, what fails, and that texts of others break no format. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Result } from '../../harness/schema/result.generated.ts';
import { annotations, renderMarkdown, toJson } from '../compare.ts';
import { metric, resultWith, smallRun } from '../testing/results.ts';
import { resultOf } from '../testing/runs.ts';
import { compareRuns } from './comparison.ts';
import { renderHtml } from './html.ts';
import { toJunit } from './junit.ts';
import type { Side } from './load.ts';
import { parseRule } from './rules.ts';

const test = suite('comparison');
const side = (name: string, results: readonly Result[], refused: string[] = []): Side => ({
  name,
  results: [...results],
  refused,
});
const rulesOf = (...texts: string[]) => texts.map((text) => parseRule(text, 'test'));
const seeds = (name: string, values: readonly number[], shift = 0) =>
  values.map((value, seed) =>
    resultOf(
      name,
      seed,
      [value - 0.1, value, value + 0.11].map((each) => each + shift),
    ),
  );
const LEVELS = [0.8, 0.801, 0.803, 0.8];

function compare(before: readonly Result[], after: readonly Result[], ...rules: string[]) {
  return compareRuns(side('a', before), side('b', after), { rules: rulesOf(...rules) });
}

test('a run beside itself: all equal bit by bit, nothing fails, and what could be seen is said', () => {
  const run = smallRun();
  const comparison = compare(run, smallRun(), 'main worsens');
  assert.not.ok(comparison.failed);
  assert.ok(comparison.lines.every(({ state }) => state === 'same' || state === 'empty'));
  assert.ok(comparison.rules[0]!.detectable.length > 0);
  assert.ok(comparison.rules[0]!.verdicts.every(({ outcome, line }) => outcome === 'passed' && !line.control));
  assert.match(renderMarkdown(comparison), /# Comparison: passed/);
  // As another suite's first seed would name it: methods that draw nothing run once.
  const bow = (seed: number) => run.filter(({ method }) => method.name === 'bow').map((each) => ({ ...each, seed }));
  assert.ok(compare(bow(0), bow(7)).lines.every(({ state }) => state === 'same' || state === 'empty'));
});

test('a drop that is shown fails, a smaller one than the rule asks for does not, nor one the other way', () => {
  const after = seeds('topk', LEVELS, -0.1).map((result, i) => ({
    ...result,
    rows: seeds('topk', [0.7, 0.702, 0.703, 0.7])[i]!.rows,
  }));
  const of = (...rules: string[]) => compare(seeds('topk', LEVELS), after, ...rules).rules.map(({ failed }) => failed);
  assert.equal(of('auroc drops', 'auroc drops 0.05', 'auroc drops 0.2', 'auroc rises', 'auroc changes'), [
    true,
    true,
    false,
    false,
    true,
  ]);
  assert.equal(of('main worsens 5%', 'main worsens 50%'), [true, false]);
  assert.equal(of('auroc not within 0.2', 'auroc not within 0.05'), [false, true]);
  const [line] = compare(seeds('topk', LEVELS), after).lines;
  assert.ok(Math.abs(line!.difference! + 0.1) < 0.01);
  assert.match(line!.how, /3 concepts × 4 seeds, in pairs/);
});

test('what cannot be told is not told: a wide margin passes, a narrow one fails, one seed without an interval fails', () => {
  const [before, after] = [seeds('topk', [0.5, 0.9, 0.7, 0.8]), seeds('topk', [0.8, 0.6, 0.9, 0.5])];
  const of = (rule: string) => compare(before, after, rule).failed;
  assert.equal([of('auroc drops'), of('auroc not within 0.02'), of('auroc not within 2')], [false, true, false]);
  const bare = (value: number) => [
    resultWith('topk', [{ axes: {}, metrics: { auroc: metric(value, null, { main: true }) } }]),
  ];
  const untested = compare(bare(0.8), bare(0.7), 'auroc drops');
  assert.ok(untested.failed);
  assert.match(untested.rules[0]!.verdicts[0]!.why, /nothing to test on/);
  const own = (value: number) => [
    resultWith('topk', [{ axes: {}, metrics: { auroc: metric(value, [value - 0.01, value + 0.01], { main: true }) } }]),
  ];
  const unpaired = compare(own(0.8), own(0.7), 'auroc drops');
  assert.ok(unpaired.failed);
  assert.match(unpaired.lines[0]!.how, /unpaired: the interval of each/);
  assert.match(renderMarkdown(unpaired), /1 of these rest on one seed on each side/);
});

test('a metric that is missing fails: no result, an empty cell, a failed seed, a rule that guards nothing', () => {
  const before = [...seeds('topk', LEVELS), ...seeds('relu', LEVELS)];
  const gone = compare(before, seeds('topk', LEVELS), 'auroc drops');
  assert.match(gone.rules[0]!.verdicts.find(({ outcome }) => outcome === 'failed')!.why, /no value after/);
  const empty = seeds('relu', LEVELS).map((result) => ({
    ...result,
    rows: [{ axes: {}, metrics: { auroc: { value: null, ci95: null, n: 0, reason: 'has no decoder' } } }],
  }));
  const emptied = compare(before, [...seeds('topk', LEVELS), ...empty], 'auroc drops');
  assert.match(
    emptied.rules[0]!.verdicts.find(({ outcome }) => outcome === 'failed')!.why,
    /no value after: has no decoder/,
  );
  const failed = seeds('relu', LEVELS).map((result) =>
    result.seed === 2 ? { ...result, rows: [], failed: 'loss is NaN' } : result,
  );
  const half = compare(before, [...seeds('topk', LEVELS), ...failed], 'auroc drops');
  assert.match(
    half.rules[0]!.verdicts.find(({ outcome }) => outcome === 'failed')!.why,
    /seed 2 has no value after: loss is NaN/,
  );
  const nothing = compare(empty, empty, 'auroc drops');
  assert.ok(nothing.failed);
  assert.match(nothing.rules[0]!.why!, /nothing is guarded/);
  const fresh = compare(seeds('topk', LEVELS), before, 'auroc drops');
  assert.not.ok(fresh.failed);
  assert.is(fresh.lines.filter(({ state }) => state === 'gained').length, 1);
});

test('other versions, settings and definitions are set aside with a line, and fail what they should have passed', () => {
  const before = seeds('topk', LEVELS);
  const change = (more: (result: Result) => Partial<Result>) =>
    before.map((result) => ({ ...result, ...more(result) }));
  const cases: [Result[], RegExp][] = [
    [
      change(({ task }) => ({ task: { ...task, version: task.version + 1 } })),
      /task.version \d+ before, \d+ after: its numbers mean/,
    ],
    [change(({ task }) => ({ task: { ...task, options: { items: 3 } } })), /task\.\w+ .*--across/],
    [
      change(({ method }) => ({
        method: { ...method, identity: 'f'.repeat(64), options: { ...method.options, k: 99 } },
      })),
      /k none before, 99 after; --across 'k'/,
    ],
    [change(({ subject }) => ({ subject: { ...subject, fingerprint: 'e'.repeat(64) } })), /subject .*before/],
    [change(() => ({ limited: true })), /limited (true|false) before/],
    [
      change(({ task }) => ({
        task: { ...task, metrics: { auroc: { ...task.metrics['auroc']!, direction: 'min' } } },
      })),
      /defines its numbers otherwise: metric 'auroc': direction/,
    ],
  ];
  for (const [after, expected] of cases) {
    const comparison = compare(before, after, 'auroc drops');
    assert.is(comparison.lines.length, 0, String(expected));
    assert.match(comparison.aside.join('\n'), expected);
    assert.ok(comparison.failed, String(expected));
    assert.match(renderMarkdown(comparison), /## Set aside/);
  }
  const [, , [otherK]] = cases as [unknown, unknown, [Result[], RegExp]];
  const across = compareRuns(side('a', before), side('b', otherK), { across: ['k'] });
  assert.equal([across.aside, across.lines.length], [[], 1]);
  assert.throws(
    () => compareRuns(side('a', before), side('b', otherK), { across: ['kk'] }),
    /--across kk: .*Did you mean: k\?/,
  );
  assert.throws(
    () => compareRuns(side('a', before), side('b', otherK), { across: ['task.version'] }),
    /never compared/,
  );
  const both = compare([...before, ...otherK], before);
  assert.is(
    both.lines.filter(({ state }) => state === 'lost').length,
    1,
    'the one of other options is in one run alone',
  );
  const code = change(({ settings }) => ({ settings: { ...settings, row: 'd'.repeat(64) } })).slice(0, 2);
  assert.match(
    compare([...code, ...before.slice(2)], before).aside.join(),
    /under several settings \(code\): keep the results of one/,
  );
});

test('sizes that are counted differ without a test; times are compared on one machine alone', () => {
  const defined = (more: object, value: number) => [
    resultWith('topk', [
      { axes: {}, metrics: { macs: metric(value, null, { direction: 'min', main: true, ...more }) } },
    ]),
  ];
  const counted = compare(
    defined({ counted: true }, 5),
    defined({ counted: true }, 6),
    'macs worsens',
    'macs worsens 1',
  );
  assert.equal(
    counted.rules.map(({ failed }) => failed),
    [true, false],
  );
  const timed = (result: Result, cpu: string): Result => ({
    ...result,
    task: { ...result.task, metrics: { macs: { ...result.task.metrics['macs']!, measured: true } } },
    provenance: { ...result.provenance, cpu },
  });
  const [before, after] = [
    defined({}, 5).map((each) => timed(each, 'A')),
    defined({}, 9).map((each) => timed(each, 'B')),
  ];
  const elsewhere = compare(before, after, 'macs worsens');
  assert.not.ok(elsewhere.failed);
  assert.equal(
    elsewhere.rules[0]!.verdicts.map(({ outcome }) => outcome),
    ['aside'],
  );
  assert.match(toJunit(elsewhere), /<skipped message="measured on another machine/);
});

test('the speed of what was trained anew on one machine is reported; what the store had, and another machine, is not', () => {
  const trained = (tokensPerSecond: number, fit: string, cpu = 'A') =>
    smallRun()
      .filter(({ method }) => method.name === 'relu')
      .map((result) => ({
        ...result,
        training: { ...result.training!, tokensPerSecond },
        provenance: { ...result.provenance, cpu, steps: { ...result.provenance.steps, fit } },
      }));
  const notes = (after: Result[]) => compare(trained(1000, 'a'), after).notes.join();
  assert.match(
    notes(trained(500, 'b')),
    /speed of training, after ÷ before, on one machine: 0\.500 × in the middle of 2 fits/,
  );
  assert.not.match(notes(trained(500, 'a')) + notes(trained(500, 'b', 'B')), /speed/);
  const open = trained(1000, 'a').map((result) => ({ ...result, incomplete: 'the budget was spent' }));
  assert.match(notes(open), /b: \d results are incomplete: the budget was spent/);
});

test('names of others break no table, page, XML or workflow command', async () => {
  const hostile = '</td><script>alert(1)</script> | ::error::x\n"\u0007';
  const rename = (results: readonly Result[]) =>
    results.map((result) => ({ ...result, method: { ...result.method, name: hostile } }));
  const comparison = compareRuns(side('a', rename(seeds('topk', LEVELS))), side('b', [], ['x\n::error::y']), {
    rules: rulesOf('auroc drops'),
  });
  assert.ok(comparison.failed);
  const html = await renderHtml(comparison);
  assert.not.match(html, /<script>/);
  assert.match(html, /Content-Security-Policy/);
  const xml = toJunit(comparison);
  assert.not.ok(xml.includes('<script>') || xml.includes('\u0007'));
  assert.match(xml, /<testsuites name="saxbench compare" tests="1" failures="1">/);
  for (const line of annotations(comparison)) assert.match(line, /^::(error|warning)[^\n]*$/);
  const markdown = renderMarkdown(comparison);
  assert.not.match(markdown, /<script>/);
  assert.equal(JSON.parse(JSON.stringify(toJson(comparison))).failed, true);
});

test.run();
