/** @file The embedder of a suite: found by path or name, the same wherever it lies, and never the subject. */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { packageRoot } from '../paths.ts';
import { openRegistry } from '../registry.ts';
import type { Suite } from '../schema/suite.generated.ts';
import {
  absoluteEmbedder,
  refuseOwnEmbedder,
  resolveEmbedder,
  setEmbedder,
  withAbsoluteEmbedders,
} from './embedder.ts';
import { resolveTask } from './resolve.ts';

const test = suite('suite/embedder');
const registry = openRegistry();
const BERT = join(packageRoot, 'models/subjects/testdata/bert');

test('a task has it by fingerprint and family, wherever it lies, and no path among its options', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'saxbench-embedder-'));
  await cp(BERT, join(folder, 'bert'), { recursive: true });
  const given = (embedder: string) =>
    resolveTask({ id: 'monosemanticity', options: { embedder } }, registry, 'suite s');
  const [here, there] = [await given(BERT), await given(join(folder, 'bert'))];
  const { place, ...planned } = here.embedder!;
  assert.equal(planned, { id: 'bert', fingerprint: there.embedder!.fingerprint, family: 'bert@1' });
  assert.is(place!.folder, BERT);
  assert.equal(here.options, there.options);
  assert.not('embedder' in here.options);
  const without = await resolveTask({ id: 'monosemanticity' }, registry, 'suite s');
  assert.equal(without.options, here.options);
  assert.is(without.embedder, undefined);
  await rm(folder, { recursive: true });
});

test("the embedder of a task's judge is the task's, by fingerprint; a check fetches none", async () => {
  const options = { judge: 'embedding', judgeOptions: { embedder: BERT } };
  const { judge, embedder } = await resolveTask({ id: 'steering', options }, registry, 'suite s');
  assert.equal(judge, { id: 'embedding', version: 1, options: {} });
  assert.is(embedder!.family, 'bert@1');
  const folder = await mkdtemp(join(tmpdir(), 'saxbench-embedder-'));
  await cp(BERT, join(folder, 'bert'), { recursive: true });
  for (const given of [
    (path: string) => ({ judge: 'embedding', judgeOptions: { embedder: path } }),
    (path: string) => ({ judge: ['dataset', 'embedding'], judgeOptions: { embedding: { embedder: path } } }),
  ]) {
    const at = async (path: string) =>
      (await resolveTask({ id: 'steering', options: given(path) }, registry, 'suite s')).options;
    assert.equal(await at(BERT), await at(join(folder, 'bert')));
    assert.not.match(JSON.stringify(await at(BERT)), 'bert');
    assert.equal(withAbsoluteEmbedders(given('./b'), '/suites'), given('/suites/b'));
  }
  await rm(folder, { recursive: true });
  const usual = { id: 'steering', options: { judge: 'embedding' } };
  const checked = await resolveTask(usual, registry, 'suite s', { fetch: false });
  assert.ok(checked.embedder === undefined || checked.embedder.id === 'minilm-l6');
  const { embedder: none } = await resolveTask({ id: 'steering' }, registry, 'suite s');
  assert.is(none, undefined);
  assert.equal(withAbsoluteEmbedders({ judge: 'embedding', judgeOptions: { embedder: './b' } }, '/suites'), {
    ...{ judge: 'embedding', judgeOptions: { embedder: '/suites/b' } },
  });
});

test('a language model, and what is nowhere, are refused; paths are those of the suite', async () => {
  const refusal = (name: string) =>
    resolveEmbedder(name, registry, 'suite s: task t').then(
      () => 'nothing',
      (error: Error) => error.message,
    );
  assert.match(await refusal('tiny-lm-planted'), /embedder tiny-lm-planted: expected an encoder that gives one vector/);
  assert.match(await refusal('no-such-model'), /no-such-model/);
  assert.is((await resolveEmbedder('tiny-clip', registry, '')).family, 'clip@1');
  assert.is(absoluteEmbedder('./bert', '/suites'), '/suites/bert');
  assert.is(absoluteEmbedder('bert', join(BERT, '..')), BERT);
  assert.is(absoluteEmbedder('minilm-l6', '/suites'), 'minilm-l6');
});

test('a subject is not its own embedder, but where the task is for another subject', () => {
  const subjects = [
    { id: 'a', fingerprint: '1' },
    { id: 'b', fingerprint: '2' },
  ];
  const embedder = { id: 'x', fingerprint: '2', family: 'bert@1' };
  assert.throws(() => refuseOwnEmbedder(subjects, [{ id: 'ms', embedder }], 's'), /not the subject; found b itself/);
  refuseOwnEmbedder(subjects, [{ id: 'ms', embedder, subjects: ['a'] }, { id: 'other' }], 's');
});

test('--embedder goes to every task that reads one', async () => {
  const given = { tasks: [{ id: 'reconstruction' }, { id: 'monosemanticity' }] } as Suite;
  const { tasks } = await setEmbedder(given, './x', registry);
  assert.equal(tasks, [{ id: 'reconstruction' }, { id: 'monosemanticity', options: { embedder: './x' } }]);
  const judged = { tasks: [{ id: 'steering' }, { id: 'steering', options: { judge: 'embedding' } }] } as Suite;
  assert.equal((await setEmbedder(judged, './x', registry)).tasks, [
    { id: 'steering' },
    { id: 'steering', options: { judge: 'embedding', judgeOptions: { embedder: './x' } } },
  ]);
  const several: Suite['tasks'] = [{ id: 'steering', options: { judge: ['dataset', 'embedding'] } }];
  const [steering] = (await setEmbedder({ tasks: several } as Suite, './x', registry)).tasks;
  assert.equal(steering!.options, {
    ...{ judge: ['dataset', 'embedding'], judgeOptions: { embedding: { embedder: './x' } } },
  });
  let message = '';
  await setEmbedder({ tasks: [{ id: 'efficiency' }] } as Suite, './x', registry).catch((error: Error) => {
    message = error.message;
  });
  assert.match(
    message,
    /expected a task that reads one, such as monosemanticity, or whose judge does; found efficiency/,
  );
});

test.run();
