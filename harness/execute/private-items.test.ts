/** @file Private items: no word of them in results or reports unless asked for, whatever lay there before; judges elsewhere ask first. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadMerged, renderReports } from '../../reports/index.ts';
import { uploads } from '../commands/judging.ts';
import { type DatasetDefinition, defineDataset, defineTask } from '../contract.ts';
import type { Plan } from '../plan.ts';
import { partedDetails } from '../results/held-texts.ts';
import { refusal } from '../testing/failing.ts';
import { toyRegistry } from '../testing/toy.ts';
import { runToy } from '../testing/toy-run.ts';

const test = suite('execute/private-items');

const SECRET = 'Mrs Miller coughs';
let privateItems = true;

async function registry() {
  const known = toyRegistry();
  const plugin = fileURLToPath(import.meta.url);
  const words = (await known.get('dataset', 'toy-words')) as DatasetDefinition;
  const own = defineDataset<Record<string, unknown>>({
    ...words,
    id: 'private-words',
    async open(options, context) {
      return {
        ...(await words.open(options, context)),
        id: 'private-words',
        ...(privateItems && { privateItems: true }),
      };
    },
  });
  const toy = await known.get('task', 'toy-task');
  const details = {
    'best/add': [{ id: 'cough', factor: 1, examples: [{ prompt_id: 'p1', text: SECRET, fluency: 2 }] }],
  };
  const samples = { unit: 'concept', ids: ['cough'], values: [1] };
  const telling = defineTask({
    ...{ ...toy, id: 'telling', words: ['text'], axes: { selection: 'how', intervention: 'how' } },
    run: async () => ({
      rows: [
        {
          axes: { selection: 'best', intervention: 'add' },
          metrics: { value: { value: 1, ci95: null, n: 1 } },
          samples,
        },
      ],
      details,
    }),
  });
  const silent = defineTask({
    ...{ ...toy, id: 'silent', words: undefined },
    run: async () => ({
      rows: [{ axes: {}, metrics: { value: { value: 1, ci95: null, n: 1 } } }],
      details,
      marks: [{ code: 'odd', message: `odd: ${SECRET}` }],
      judging: [{ judge: 'mine', texts: 1, missing: { [`cannot read ${SECRET}`]: 1 }, agreement: [] }],
    }),
  });
  const failing = defineTask({
    ...{ ...toy, id: 'failing', words: [] },
    run: async () => {
      throw new Error(`cannot read ${SECRET}`);
    },
  });
  known.add(own, plugin);
  for (const task of [telling, silent, failing]) known.add(task, plugin);
  return known;
}

/** Files below a folder that hold the secret, by path. */
async function leaks(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const having: string[] = [];
  for (const file of files) if ((await readFile(file, 'utf8')).includes(SECRET)) having.push(file);
  return having;
}

test('results and reports name ids; words lie beside them, in no file that goes further; --include-texts shows them', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'saxbench-private-'));
  const suiteOf = (path: string) => ({
    subjects: [{ path, sites: ['toy.site'], dataset: { id: 'private-words' }, activations: { train: 20, test: 10 } }],
    tasks: ['telling', 'silent', 'failing'].map((id) => ({ id })),
    seeds: [0],
  });
  const known = await registry();
  const { toySuite } = await import('../testing/toy.ts');
  const [toy] = toySuite(folder).subjects;
  const more = { ...suiteOf(toy!.path!), subjects: [{ ...toy!, dataset: { id: 'private-words' } }] };
  const run = () => runToy(folder, more, undefined, { registry: known });
  const { out, summary } = await run();
  assert.ok(summary.results.every(({ dataset }) => dataset.privateItems));
  assert.equal(await leaks(join(out, 'results')), []);
  const held = await leaks(join(out, 'texts'));
  assert.is(held.length, summary.results.filter(({ task }) => task.id !== 'failing').length);
  assert.ok(summary.failed.some(({ failed }) => failed === 'an error that may quote private texts: the run said it'));
  // What a task says nothing of is held back whole.
  const silent = summary.results.find(({ task }) => task.id === 'silent')!;
  assert.is(silent.details, undefined);
  const html = async (includeTexts: boolean) => {
    const { files } = await renderReports(out, join(folder, 'site'), { includeTexts });
    return readFile(files.find((file) => file.endsWith('.html'))!, 'utf8');
  };
  const shut = await html(false);
  assert.not.ok(shut.includes(SECRET));
  assert.match(shut, /the text after p1 is private: --include-texts shows it/);
  assert.ok((await html(true)).includes(SECRET));
  const { results } = await loadMerged([out]);
  assert.not.ok(JSON.stringify(results).includes(SECRET));
  // A domain that is opened, and shut again: results that lie there follow.
  privateItems = false;
  const opened = await run();
  assert.is(
    opened.summary.computed.evaluate,
    opened.summary.failures.length === 0 ? 0 : opened.summary.computed.evaluate,
  );
  assert.ok((await leaks(join(out, 'results'))).length > 0);
  privateItems = true;
  await run();
  assert.equal(await leaks(join(out, 'results')), []);
  await rm(folder, { recursive: true });
});

test('fields are held at any depth, and nothing else is lost', () => {
  const details = { a: [{ id: 1, text: 'x' }, { id: 2 }], text: { b: 1 }, n: null };
  assert.equal(partedDetails(details, ['text']), {
    kept: { a: [{ id: 1 }, { id: 2 }], n: null },
    held: [
      [['text'], { b: 1 }],
      [['a', 0, 'text'], 'x'],
    ],
  });
  assert.equal(partedDetails(details, []), { kept: details, held: [] });
  assert.equal(partedDetails(undefined, undefined), { kept: undefined, held: [] });
});

test('a judge elsewhere is asked for by --allow-upload, and told what goes where; others are not', async () => {
  const planOf = (isPrivate: boolean, endpoint?: string) => {
    const judge = { id: 'openai', version: 1, options: { model: 'big' }, ...(endpoint && { endpoint }) };
    const dataset = { id: 'domain', options: { path: '/x/ward' }, ...(isPrivate && { privateItems: true }) };
    const evaluations = [{ task: { judge } }];
    return { sites: [{ subject: { id: 'lm', dataset }, fits: [{ evaluations }] }] } as unknown as Plan;
  };
  const url = 'https://api.example/v1';
  const message = await refusal(() => uploads(planOf(true, url), {}));
  assert.match(
    message,
    /prompts made of the private texts of dataset domain \(\/x\/ward\), what lm writes after them .* go to https:\/\/api\.example\/v1, model big; expected --allow-upload/,
  );
  assert.is(uploads(planOf(true, url), { 'allow-upload': true }).length, 1);
  assert.match(uploads(planOf(true, url), { 'dry-run': true })[0]!, /^upload: prompts/);
  assert.equal(uploads(planOf(false, url), {}), []);
  assert.equal(uploads(planOf(true), {}), []);
});

test.run();
