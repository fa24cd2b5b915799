/** @file `saxbench compare`: what differs between two runs, and whether rules make that a failure. */
import { resolve } from 'node:path';
import type { Comparison, Rule, Side } from '../../reports/compare.ts';
import type { Values } from '../config/read.ts';
import { UserError } from '../errors.ts';
import type { Command, CommandContext } from './command.ts';

/** What was printed as JSON where the run became the first baseline. */
const FIRST = { failed: false, baseline: true } as const;

/** The rules of the command line, else those of the suite that is named or that the results are of. */
async function rulesFor(after: Side, values: Values): Promise<Rule[]> {
  const { parseRule, suiteOf } = await import('../../reports/compare.ts');
  const given = values['fail-if'] as string[] | undefined;
  if (given) return given.map((text) => parseRule(text, '--fail-if'));
  const { loadSuite, suiteIds } = await import('../suite/load.ts');
  const named = values['suite'] as string | undefined;
  const own = named ?? suiteOf(after);
  if (named === undefined && !suiteIds().includes(own)) return [];
  const { suite } = await loadSuite(own);
  return (suite.failIf ?? []).map((text) => parseRule(text, `suite ${own}: failIf`));
}

/** The side before; undefined where the run is to become the first baseline of its suite. */
async function sideBefore(name: string, after: Side, values: Values): Promise<Side | undefined> {
  const { BASELINE, baselineFile, loadSide, suiteOf } = await import('../../reports/compare.ts');
  if (name !== BASELINE) {
    if (resolve(name) === resolve(after.name)) {
      throw new UserError(`compare: expected two runs; found ${name} twice.`);
    }
    return loadSide(name);
  }
  const suite = suiteOf(after);
  const folder = values['baseline'] as string;
  const file = baselineFile(folder, suite);
  if (file !== undefined) return loadSide(file);
  if (values['promote']) return undefined;
  throw new UserError(
    `compare: expected a baseline of suite ${suite} in ${folder}; found none. Make this run one: saxbench compare baseline ${after.name} --promote.`,
  );
}

async function show(comparison: Comparison, files: readonly string[], { values, print, say }: CommandContext) {
  const { annotations, renderMarkdown, toJson } = await import('../../reports/compare.ts');
  if (values['json']) print(JSON.stringify({ ...toJson(comparison), files }, null, 2));
  else print(renderMarkdown(comparison));
  const tell = values['json'] ? say : print;
  if (values['github']) for (const line of annotations(comparison)) print(line);
  for (const file of files) tell(`wrote ${file}`);
}

export const command: Command = {
  name: 'compare',
  usage: 'compare [before] [after]',
  summary: 'Compare two runs: paired differences with intervals, sorted by evidence; rules make it fail (exit code 1)',
  positionals: {
    before: {
      description: 'A folder that `run` wrote to, a .json or .jsonl of results, or baseline',
      default: 'baseline',
    },
    after: { description: 'The same of the newer run', default: 'saxbench-out/nightly' },
  },
  examples: [
    ['saxbench compare saxbench-out/a saxbench-out/b', 'what differs'],
    ["saxbench compare a b --fail-if 'auroc drops 0.02 at 95%'", 'fails where a drop beyond 0.02 is shown'],
    ["saxbench compare a b --fail-if 'auroc not within 0.02'", 'fails where a drop of 0.02 cannot be ruled out'],
    [
      'saxbench compare baseline saxbench-out/nightly --promote --out site',
      'with the last green run; if green, the next baseline',
    ],
    ['saxbench compare a b --across k', 'runs of another k'],
  ],
  async run(context) {
    const { positionals, values, print, say } = context;
    if (values['json'] && values['github']) {
      throw new UserError('compare: expected --json or --github; found both: annotations are lines of their own.');
    }
    const { compareRuns, loadSide, writeBaseline, writeComparison } = await import('../../reports/compare.ts');
    const folder = values['baseline'] as string;
    const after = await loadSide(positionals['after']!);
    const rules = await rulesFor(after, values);
    const before = await sideBefore(positionals['before']!, after, values);
    if (before === undefined) {
      const file = await writeBaseline(folder, after);
      print(
        values['json']
          ? JSON.stringify({ ...FIRST, files: [file] })
          : `no baseline yet: ${after.name} is it now, ${file}`,
      );
      return 0;
    }
    const across = (values['across'] ?? []) as string[];
    const comparison = compareRuns(before, after, { rules, across });
    const out = values['out'] as string | undefined;
    const files = out === undefined ? [] : await writeComparison(comparison, resolve(out));
    const refused = [...before.refused, ...after.refused].length > 0;
    if (values['promote'] && !comparison.failed && !refused) files.push(await writeBaseline(folder, after));
    await show(comparison, files, context);
    if (values['promote'] && (comparison.failed || refused)) say(`${after.name} does not become the baseline.`);
    if (comparison.failed) return 1;
    return refused ? 2 : 0;
  },
};
