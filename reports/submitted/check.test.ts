/** @file What a submitted baseline may and may not be, of the reference's own results. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { sealed } from '../../harness/results.ts';
import type { Result } from '../../harness/schema/result.generated.ts';
import { refusal } from '../../harness/testing/failing.ts';
import { partOfBoard } from '../testing/board.ts';
import { openBoard } from './board.ts';
import { checkSubmission, environmentOf } from './check.ts';
import type { Submission } from './file.ts';

const test = suite('submitted/check');

const folder = mkdtempSync(join(tmpdir(), 'saxbench-board-'));
test.after(() => rmSync(folder, { recursive: true }));
const board = await openBoard(await partOfBoard(folder, ['topk', 'diffmean', 'transcoder']));

const hashesOf = (results: readonly Result[]) =>
  results
    .filter(({ task, seed }) => task.id === 'reconstruction' && seed === 0)
    .map(({ subject, site }) => ({ subject: subject.id, site: site.name, seed: 0, sha256: 'a'.repeat(64) }));

test('a baseline: fitted once or with every seed, of no size, at the sites of the protocol alone', async () => {
  const own = (id: string, place?: string): Result[] =>
    board.reference
      .filter(({ method, site }) => method.id === id && (place === undefined || site.name === place))
      .map((result) => sealed({ ...result, method: { ...result.method, kind: 'baseline', id: 'mine', name: 'mine' } }));
  const of = (given: Result[], seeds: number[]): Submission => ({
    ...{ schema: 1, protocol: board.protocol.protocol, name: 'mine', kind: 'baseline', licence: 'MIT' },
    ...{ citation: 'Doe 2027', tuning: 'nothing', source: { files: [] }, checks: ['contract'], leftOut: [] },
    ...{ weights: hashesOf(given), seeds, environment: environmentOf(given[0]!), results: given, checksum: '' },
  });
  checkSubmission(of(own('diffmean'), [0]), board);
  checkSubmission(of(own('topk'), [0, 1, 2]), board);
  const strange = [...own('diffmean'), ...own('transcoder').filter(({ seed }) => seed === 0)];
  assert.match(
    await refusal(() => checkSubmission(of(strange, [0]), board)),
    /expected a site of topk \(.*\); found tiny-lm-chain blocks\.1\.hook_resid_mid\. Submit/,
  );
  const twice = own('topk').filter(({ seed }) => seed < 2);
  assert.match(
    await refusal(() => checkSubmission(of(twice, [0, 1]), board)),
    /expected seeds 0, 1, 2, or 0; found 0, 1/,
  );
});

test.run();
