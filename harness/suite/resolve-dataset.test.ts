/** @file General data that methods are trained on: had, out of reach, or wrong. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openRegistry } from '../registry.ts';
import type { SuiteDataset } from '../schema/suite.generated.ts';
import { refusal } from '../testing/failing.ts';
import { subject as resolvedSubject } from '../testing/resolved.ts';
import { resolveGeneral } from './resolve-dataset.ts';

const test = suite('suite/resolve-dataset');

const baseDir = mkdtempSync(join(tmpdir(), 'saxbench-general-'));
test.after(() => rmSync(baseDir, { recursive: true }));
writeFileSync(join(baseDir, 'general.txt'), 'One thing.\n\nAnother thing.\n');

const given = (general: SuiteDataset | undefined, methods = [{ id: 'topk', trainedOn: 'general' as const }]) =>
  resolveGeneral(
    { id: 'tiny-lm-chain', sites: ['blocks.1.hook_resid_post'], ...(general && { general }) },
    resolvedSubject('lm').dataset,
    methods,
    { registry: openRegistry(), baseDir },
    'suite mine',
  );
const text = (path: string): SuiteDataset => ({ id: 'stories', options: { path } });

test('general text that is there; none is opened where no method is trained on it', async () => {
  const { general } = await given(text('general.txt'));
  assert.equal(general && 'id' in general && [general.id, general.hasConcepts], ['stories', false]);
  assert.equal(await given(text('gone.txt'), []), {});
  assert.equal(await given(undefined), {});
});

test('text that cannot be had is a reason, never a failure; what is wrongly named is', async () => {
  const { general } = await given(text('gone.txt'));
  assert.match((general as { reason: string }).reason, /^dataset stories: path: there is no .*gone\.txt; .*[^.]$/);
  const wrong: [general: SuiteDataset, told: RegExp][] = [
    [{ id: 'storis' }, /storis.*Did you mean: stories/],
    [{ id: 'stories', options: { pth: 'general.txt' } }, /^suite mine: dataset stories: .*pth/],
    [{ id: 'image-world' }, /general: expected data of the modality text, .*found image-world: image\.$/],
    [{ id: 'features' }, /general: expected data of the modality text, .*found features: vectors\.$/],
  ];
  for (const [each, told] of wrong) assert.match(await refusal(given(each)), told);
});

test.run();
