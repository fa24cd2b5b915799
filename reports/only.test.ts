import { readFile, writeFile } from 'node:fs/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { writeResult } from '../harness/results.ts';
import { inFolder, rejection } from '../harness/testing/failing.ts';
import { renderReports } from './index.ts';
import { metric, resultWith } from './testing/results.ts';

const test = suite('reports: formats and --only');

const results = ['topk', 'relu', 'b_c \\input{x}% &'].map((name, i) => {
  const value = 0.9 - i / 10;
  const samples = { unit: 'concept', values: [value - 0.01 - i / 100, value, value + 0.01 + i / 100] };
  const auroc = metric(value, [value - 0.05, value + 0.05], { main: true });
  return resultWith(name, [{ axes: {}, metrics: { auroc }, samples }]);
});

const written = (into: string) => Promise.all(results.map((result) => writeResult(into, result)));

test('LaTeX has a table of booktabs with the first in bold, escaped names, and versions and hashes to cite', () =>
  inFolder(async (folder) => {
    const marks = [{ code: 'dead-latents', message: 'm' }];
    for (const result of results) {
      await writeResult(folder, { ...result, limited: true, ...(result === results[1] ? { marks } : {}) });
    }
    const { files } = await renderReports(folder, folder, { formats: ['latex'], includeLimited: true });
    assert.equal(
      files.map((file) => file.slice(folder.length + 1)),
      ['tables.tex'],
    );
    const text = await readFile(files[0]!, 'utf8');
    assert.match(text, /\\toprule\nmethod & concept detection: AUROC \$\\uparrow\$ & mean rank/);
    assert.match(
      text,
      /\ntopk & \\textbf\{\\boldmath \$0\.900\$\} \{\\scriptsize \[\$0\.850\$, \$0\.950\$\]\} & \$0\$ \(1\) \\\\\n/,
    );
    assert.match(text, /\nb\\_c \\textbackslash\{\}input\\\{x\\\}\\% \\& & /);
    assert.not.match(text, /\\input\{/);
    assert.match(text, /^% LIMITED RUN/m);
    assert.match(text, /\\caption\{.* relu: limited, dead latents\./);
    assert.match(text, /^% saxbench \S+, backend /m);
    assert.match(text, /^% model \S+, fingerprint [0-9a-f]{64}$/m);
    assert.match(text, /^% \d+ results, SHA-256 of their keys in order [0-9a-f]{64}$/m);
    assert.is(text.split('\\begin{tabular}').length, text.split('\\end{tabular}').length);
  }));

test('JSON has every row with its values, intervals and standing, and the reading', () =>
  inFolder(async (folder) => {
    await written(folder);
    const { files } = await renderReports(folder, folder, { formats: ['json'], only: ['methods=topk,relu'] });
    const { limited, citation, places } = JSON.parse(await readFile(files[0]!, 'utf8'));
    assert.is(limited, false);
    assert.match(citation.results.sha256, /^[0-9a-f]{64}$/);
    const [place] = places;
    assert.equal(
      place.rows.map(
        ({
          method,
          metrics: [{ value, standing }],
        }: {
          method: string;
          metrics: [{ value: number; standing?: string }];
        }) => [method, value, standing],
      ),
      [
        ['topk', 0.9, 'first'],
        ['relu', 0.8, undefined],
      ],
    );
    assert.match(place.reading[0], /^Best SAE: topk in concept detection/);
  }));

test('unknown formats, axes and names are refused, with what there is', () =>
  inFolder(async (folder) => {
    await written(folder);
    const refusal = async (options: { formats?: string[]; only?: string[] }) =>
      (await rejection(renderReports(folder, folder, options))).message;
    assert.match(await refusal({ formats: ['latx'] }), /unknown format 'latx'\. Did you mean: latex/);
    assert.match(await refusal({ only: ['methods=topkk'] }), /unknown method 'topkk'\. Did you mean: topk/);
    assert.match(await refusal({ only: ['topk'] }), /--only: expected methods=…, .*; found 'topk'/);
    assert.match(await refusal({ only: ['constructor=x'] }), /--only: expected methods/);
    assert.match(await refusal({ only: ['seeds=1'] }), /unknown seed '1'/);
  }));

test('several folders are one report: what is in both counts once, and is said', () =>
  inFolder(async (folder) => {
    const [one, two] = [`${folder}/one`, `${folder}/two`];
    const keyed = results.map((result, i) => ({ ...result, key: String(i).repeat(64) }));
    for (const result of keyed.slice(0, 2)) await writeResult(one, result);
    for (const result of keyed.slice(1)) await writeResult(two, result);
    const { files, refused, ...counts } = await renderReports([one, two], folder, { formats: ['csv'] });
    assert.equal([refused, counts], [[], { results: 3, copies: 1 }]);
    const lines = (await readFile(files[0]!, 'utf8')).trim().split('\n');
    assert.is(lines.length, 4);
  }));

test('figures of another report stay where they are, and are told', () =>
  inFolder(async (folder) => {
    await written(folder);
    const figures = (only: string[]) => renderReports(folder, folder, { formats: ['svg'], only });
    const { files, otherFigures } = await figures([]);
    assert.is(files.length, 1);
    assert.is(otherFigures, undefined);
    await writeFile(`${folder}/figures/own.svg`, '<svg/>');
    await writeFile(`${folder}/figures/own.pdf`, '');
    const again = await figures([]);
    assert.equal(again.otherFigures, ['own.svg']);
    assert.is(await readFile(`${folder}/figures/own.svg`, 'utf8'), '<svg/>');
    assert.is((await renderReports(folder, folder, { formats: ['json'] })).otherFigures, undefined);
  }));

test.run();
