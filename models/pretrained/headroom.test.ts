/** @file Model cards say what methods reach on the embedded subjects: by hand, and the committed cards agree. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { packageRoot } from '../../harness/kit/index.ts';
import type { Result } from '../../harness/schema/result.generated.ts';
import { embedded, headroomSection, keepSection, referenceResults, withSection } from './headroom.ts';

const test = suite('model cards');

function result(method: string, task: string, rows: [Record<string, string>, Record<string, number | null>][]): Result {
  return {
    subject: { id: 'small' },
    site: { name: 'blocks.0' },
    method: { name: method },
    task: { id: task },
    rows: rows.map(([axes, values]) => ({
      axes,
      metrics: Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { value }])),
    })),
  } as unknown as Result;
}

test('means over seeds, the better intervention, other selections left out', () => {
  const steered = (add: number, clamp: number) =>
    result('topk', 'steering', [
      [{ selection: 'auroc', intervention: 'add' }, { overall: add }],
      [{ selection: 'auroc', intervention: 'clamp' }, { overall: clamp }],
    ]);
  const section = headroomSection('small', [
    result('unsteered', 'steering', [[{ selection: 'detector', intervention: 'none' }, { overall: 0.1 }]]),
    steered(0.5, 1.2),
    steered(0.9, 0.4),
    result('topk', 'concept-detection', [
      [{ selection: 'auroc' }, { auroc: 0.75 }],
      [{ selection: 'probe-k16' }, { auroc: 0.99 }],
    ]),
    result('both', 'concept-detection', [
      [{ selection: 'auroc' }, { auroc: 0.9 }],
      [{ selection: 'detector' }, { auroc: 0.6 }],
    ]),
    result('empty', 'steering', [[{ selection: 'auroc' }, { overall: null }]]),
  ])!;
  const rows = section.split('\n').filter((line) => line.startsWith('| '));
  assert.equal(rows, [
    '| method | detection, blocks.0 | steering, blocks.0 |',
    '| topk | 0.75 | 0.80 |',
    '| unsteered | – | 0.10 |',
    '| both | 0.60 | – |',
  ]);
  assert.is(headroomSection('other', []), undefined);
  const card = withSection('# small\n\ntext\n', section);
  assert.is(withSection(card, section), card, 'written twice, there once');
  assert.is(keepSection('# small\n\nmeasured again\n', card), withSection('# small\n\nmeasured again\n', section));
  assert.is(keepSection('# new\n', ''), '# new\n');
});

test('the committed cards hold the reference results', async () => {
  const results = await referenceResults();
  for (const subject of embedded(results)) {
    const card = await readFile(join(packageRoot, 'models/pretrained', subject, 'README.md'), 'utf8');
    assert.ok(card.endsWith(headroomSection(subject, results)!), `node --import tsx models/pretrained/headroom.ts`);
  }
});

test.run();
