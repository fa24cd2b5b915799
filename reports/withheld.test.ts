/** @file Tables whose controls beat the best method: no ranks, and a line that says why, in every report. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { buildTables } from './aggregate.ts';
import { renderTexts } from './index.ts';
import { summaryTable } from './summary.ts';
import { metric, realResult, resultWith } from './testing/results.ts';

const test = suite('reports/withheld');

const { task } = realResult('pca', 'concept-detection');
const shows = { withheld: { beatenBy: ['writer'], reason: 'the judge is fooled' } };

/** Two methods and two controls, of which one is declared. */
function results(values: Record<'good' | 'bad' | 'writer' | 'other', number | null>, direction: 'max' | 'min' = 'max') {
  return Object.entries(values).map(([name, value]) => {
    const result = resultWith(
      name,
      [{ axes: {}, metrics: { score: metric(value, null, { main: true, direction }) } }],
      {
        kind: 'baseline',
      },
    );
    const control = name === 'writer' || name === 'other';
    return { ...result, method: { ...result.method, control }, task: { ...task, metrics: result.task.metrics, shows } };
  });
}

const withheldOf = (...given: Parameters<typeof results>) => buildTables(results(...given))[0]!;

test('a declared control above the best method takes all ranks', () => {
  const table = withheldOf({ good: 0.68, bad: 0.2, writer: 1.3, other: 0.1 });
  assert.is(table.withheld, 'Ranks withheld: writer (1.300) above the best method, good (0.680): the judge is fooled.');
  assert.ok(table.rows.every(({ rank, standing }) => rank === null && standing === undefined));
});

test('not one that equals it, is below it, was not measured or is not declared; nor where no method was measured', () => {
  for (const values of [
    { good: 0.68, bad: 0.2, writer: 0.68, other: 0.1 },
    { good: 0.68, bad: 0.2, writer: 0.3, other: 0.1 },
    { good: 0.68, bad: 0.2, writer: null, other: 0.1 },
    { good: 0.68, bad: 0.2, writer: 0.1, other: 2 },
  ]) {
    const table = withheldOf(values);
    assert.is(table.withheld, undefined);
    assert.is(table.rows.find(({ method }) => method.name === 'good')!.rank, 1);
  }
  assert.is(withheldOf({ good: null, bad: null, writer: 1, other: 1 }).withheld, undefined);
});

test('where less is better, below the best method', () => {
  assert.match(withheldOf({ good: 0.2, bad: 0.9, writer: 0.1, other: 1 }, 'min').withheld!, /writer \(0\.100\)/);
  assert.is(withheldOf({ good: 0.2, bad: 0.9, writer: 0.3, other: 1 }, 'min').withheld, undefined);
});

test('the summary, the leaderboard, the HTML report and the CSV say so', async () => {
  const given = results({ good: 0.68, bad: 0.2, writer: 1.3, other: 0.1 });
  const { leaderboard, html, csv } = await renderTexts(given);
  for (const text of [summaryTable(given), leaderboard, html]) {
    assert.match(text, /Ranks withheld: writer \(1\.300\) above the best method, good/);
  }
  assert.match(leaderboard, /\| – \| \*good\*/);
  assert.match(csv, /,withheld,/);
});

test('a control has no ranks, whoever is best, its heading in every report, and a part after what is ranked', async () => {
  const given = results({ good: 0.9, bad: 0.2, writer: 0.1, other: 0.1 });
  const control = given.map((result) => ({
    ...result,
    subject: { ...result.subject, id: 'planted' },
    plantedControl: 'planted-direction recovery',
  }));
  const [table] = buildTables(control);
  assert.ok(table!.rows.every(({ rank, standing }) => rank === null && standing === undefined));
  assert.is(
    table!.withheld,
    'Ranks withheld: planted-direction recovery, a positive control: the model was trained to be steered so.',
  );
  // Before the ranked one in the results, after it in the leaderboard.
  const { leaderboard, html, csv } = await renderTexts([...control, ...given]);
  const parts = leaderboard.split('\n').filter((line) => /^## /.test(line));
  assert.equal(parts.slice(-3), [`## ${task.title}`, `## Planted-direction recovery: ${task.title}`, '## To cite']);
  assert.match(leaderboard, /^### Planted-direction recovery: .*: planted,/m);
  assert.match(html, /Planted-direction recovery: /);
  for (const text of [html, summaryTable(control)]) assert.match(text, /Ranks withheld: planted-direction recovery, a/);
  const lines = csv.split('\n').filter((line) => line.includes(',planted,'));
  assert.ok(lines.length > 0 && lines.every((line) => line.includes(',withheld,')));
  assert.match(leaderboard, /\| 1 \| \*good\*/);
});

test('a control whose texts without the model are best says both', () => {
  const given = results({ good: 0.68, bad: 0.2, writer: 1.3, other: 0.1 });
  const [table] = buildTables(given.map((result) => ({ ...result, plantedControl: 'recovery' })));
  assert.match(table!.withheld!, /recovery, a positive control.* Ranks withheld: writer/);
});

test.run();
