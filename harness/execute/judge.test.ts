/** @file A toy judge and a toy task that it judges: a missing rating is no 0, a rerun asks nothing again. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { defineJudge, defineTask, UserError } from '../contract.ts';
import { toyRegistry } from '../testing/toy.ts';
import { runToy } from '../testing/toy-run.ts';
import type { RunChat } from './run.ts';

const test = suite('execute/judge');
const ASKED = { concept: { id: 'a', label: 'letter a' }, prompt: { id: 'p', text: 'Write:' } };
const counts = { asked: 0, disposed: 0 };
const judge = defineJudge<{ least: number }>({
  id: 'toy-judge',
  title: 'Counts the letter a, and is silent on short texts',
  version: 1,
  options: { least: { type: 'integer', default: 3, description: 'Shortest text that is rated.' } },
  open: async ({ options, replies }) => ({
    description: 'counts letters',
    rate: (rows) =>
      Promise.all(
        rows.map(async ({ text = '' }) => {
          const [, a] = await replies.once({ text }, async () => [++counts.asked, text.split('a').length - 1]);
          return { concept: text.length < options.least ? null : Math.min(2, a!), instruct: 2 };
        }),
      ),
    dispose: () => void counts.disposed++,
  }),
});

test('the option judge names who rates; null is left out; --force asks nothing again', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'saxbench-judge-'));
  const registry = toyRegistry();
  registry.add(judge, 'toy-judge.ts');
  const judged = defineTask({
    ...(await registry.get('task', 'toy-task')),
    id: 'toy-judged',
    measure: 'judged',
    options: { judge: { type: 'string', default: 'toy-judge', description: 'The judge.' } },
    async run({ judge }) {
      const ratings = await judge!.rate(['banana', 'aa', 'bcd'].map((text) => ({ text, ...ASKED })));
      const known = ratings.flatMap(({ concept }) => concept ?? []);
      const value = known.reduce((sum, each) => sum + each / known.length, 0);
      return { rows: [{ axes: {}, metrics: { value: { value, ci95: null, n: known.length } } }] };
    },
  });
  registry.add(judged, 'toy-judged.ts');
  const run = (force: boolean) => runToy(folder, { tasks: [{ id: 'toy-judged' }] }, undefined, { registry, force });
  const { summary } = await run(false);
  const { value, n } = summary.results[0]!.rows[0]!.metrics['value']!;
  assert.equal([value, n, counts.asked, counts.disposed > 0], [1, 2, 3, true]);
  assert.equal(summary.results[0]!.task.judge, { id: 'toy-judge', version: 1, options: { least: 3 } });
  assert.ok((await run(true)).summary.computed.evaluate > 0);
  assert.is(counts.asked, 3);
  await rm(folder, { recursive: true });
});

test('what a judge could not be asked for is asked for by the next run, which makes its result anew', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'saxbench-judge-'));
  const registry = toyRegistry();
  let budget = 0;
  const judged = defineTask({
    ...(await registry.get('task', 'toy-task')),
    id: 'toy-task',
    async run() {
      const row = { axes: {}, metrics: { value: { value: 1, ci95: null, n: 1 } } };
      return { rows: [row], ...(budget === 0 ? { incomplete: '1 text' } : {}) };
    },
  });
  const changed = {
    ...registry,
    get: async (kind: string, id: string) =>
      kind === 'task' && id === 'toy-task' ? judged : registry.get(kind as 'task', id),
  };
  const run = () =>
    runToy(folder, { tasks: [{ id: 'toy-task' }] }, undefined, { registry: changed as typeof registry });
  const first = await run();
  assert.is(first.summary.results[0]!.incomplete, '1 text');
  budget = 1;
  const second = await run();
  assert.equal(
    [second.summary.computed.evaluate, second.summary.results[0]!.incomplete],
    [first.summary.computed.evaluate, undefined],
  );
  assert.ok(second.said.some((line) => /results lack ratings that a judge could not be asked for/.test(line)));
  assert.is((await run()).summary.computed.evaluate, 0);
  await rm(folder, { recursive: true });
});

const chatJudge = defineJudge<{ model: string }>({
  ...{ id: 'toy-judge', title: 'Asks', version: 1 },
  options: { model: { type: 'string', description: 'Model.' } },
  asks: () => ({ requests: 1, promptTokens: 1, texts: 1, replyTokens: 1 }),
  open: async ({ chat, options: { model } }) => ({
    description: `asks ${chat!.endpoint}`,
    rate: (rows) =>
      Promise.all(
        rows.map(async ({ text = '' }) => {
          const question = {
            model,
            system: '',
            user: text,
            maxTokens: 1,
            lengthField: 'max_tokens' as const,
            round: 0,
          };
          const found = await chat!.complete(question);
          return { concept: 'missing' in found ? null : Number(found.text), instruct: 2 };
        }),
      ),
    dispose() {},
  }),
});

test('a judge that asks gets the run’s chat model; a refusal ends the run, and the endpoint is in the key', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'saxbench-judge-'));
  const registry = toyRegistry();
  registry.add(chatJudge, fileURLToPath(import.meta.url));
  const judged = defineTask({
    ...(await registry.get('task', 'toy-task')),
    ...{ id: 'toy-judged', measure: 'judged' },
    options: {
      judge: { type: 'string', default: 'toy-judge', description: 'The judge.' },
      judgeOptions: { type: 'object', default: {}, description: 'Its options.' },
    },
    async run({ judge }) {
      const [rating] = await judge!.rate([{ text: 'x', ...ASKED }]);
      return { rows: [{ axes: {}, metrics: { value: { value: rating!.concept, ci95: null, n: 1 } } }] };
    },
  });
  registry.add(judged, fileURLToPath(import.meta.url));
  let asked = 0;
  let failure: UserError | undefined;
  const chatAt = (endpoint: string, works: boolean): RunChat => ({
    endpoint,
    failure: () => failure,
    async complete() {
      asked++;
      if (works) return { text: '1', cut: false, model: null, tokens: null };
      failure = new UserError('judge endpoint: no key');
      throw failure;
    },
  });
  const run = (model: string | undefined, chat?: RunChat) =>
    runToy(
      folder,
      { tasks: [{ id: 'toy-judged', options: { judgeOptions: model === undefined ? {} : { model } } }] },
      undefined,
      {
        ...{ registry },
        ...(chat ? { chat } : {}),
      },
    );
  const mistake = (promise: Promise<unknown>) =>
    promise.then(
      () => '',
      (error: Error) => `${error.name}: ${error.message}`,
    );
  assert.match(
    await mistake(run('m')),
    /UserError: .*judge toy-judge: expected the endpoint that it asks: --judge-url/,
  );
  assert.match(await mistake(run(undefined, chatAt('http://a', true))), /UserError: .*expected a model: --judge-model/);
  assert.is(await mistake(run('m', chatAt('http://a', false))), 'UserError: judge endpoint: no key');
  failure = undefined;
  asked = 0;
  const { summary } = await run('m', chatAt('http://a', true));
  assert.equal([summary.results[0]!.rows[0]!.metrics['value']!.value, asked > 0], [1, true]);
  assert.equal(summary.results[0]!.task.judge, {
    id: 'toy-judge',
    version: 1,
    options: { model: 'm' },
    endpoint: 'http://a',
  });
  assert.is((await run('m', chatAt('http://a', true))).summary.computed.evaluate, 0);
  assert.ok(
    (await run('m', chatAt('http://b', true))).summary.computed.evaluate > 0,
    'the same name elsewhere may be another model',
  );
  await rm(folder, { recursive: true });
});

test.run();
