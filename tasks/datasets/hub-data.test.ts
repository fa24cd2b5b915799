/** @file Data sets by their hub id: tables of the hub's own forms, the order of several places, cache, token, offline. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { hubData, NotDownloaded, packageRoot } from '../../harness/kit/index.ts';
import { mistake, runCommand } from '../../harness/testing/command-line.ts';
import { refusal } from '../../harness/testing/failing.ts';
import { openTestHub, TEST_COMMIT, type TestHub } from '../../harness/testing/hub-server.ts';
import agnews from './agnews.ts';
import axbench from './axbench.ts';
import { entityFiles } from './medical/entities.ts';
import medical from './medical.ts';
import naturalText from './natural-text.ts';
import { readDocuments } from './parts/documents.ts';
import { domainOptions } from './parts/domain.ts';
import { findData } from './parts/files.ts';
import pixels from './pixels.ts';
import sst2 from './sst2.ts';
import stories from './stories.ts';

const test = suite('tasks/datasets/hub-data');
const root = mkdtempSync(join(tmpdir(), 'saxbench-hub-data-'));
const golden = (name: string) => readFileSync(join(packageRoot, 'tasks/datasets/testdata', `${name}.golden.parquet`));
const lines = (rows: unknown[]) => Buffer.from(`${rows.map((row) => JSON.stringify(row)).join('\n')}\n`);
const STORIES = Array.from({ length: 60 }, (_, i) => `Story number${i} tells of thing${i}. It ends.`);
const REVIEWS = Array.from({ length: 120 }, (_, i) => ({ text: `${i % 2 ? 'fine' : 'poor'} film ${i}`, label: i % 2 }));
const REPOSITORIES = {
  'datasets/org/news': { 'data/test.parquet': golden('labelled'), 'README.md': Buffer.from('no data') },
  'datasets/org/films': { 'train.jsonl': lines(REVIEWS) },
  'datasets/org/medical': { 'labelled/train.parquet': golden('nested') },
  'datasets/org/stories': {
    'stories.csv': Buffer.from(`id,text\n${STORIES.map((text, i) => `${i},${text}\n`).join('')}`),
  },
  'datasets/org/abstracts': {
    'data/test.jsonl': lines(
      STORIES.map((text, i) => ({
        condition_label: 1 + (i % 5),
        medical_abstract: `${text} ${'It was long. '.repeat(9)}`,
      })),
    ),
  },
  'datasets/org/two': { 'a.jsonl': lines(STORIES), 'b.jsonl': lines(STORIES) },
  'datasets/org/axbench': { '2b/train/data.parquet': golden('labelled'), '2b/test/data.parquet': golden('labelled') },
  'datasets/org/corpora': { 'all.tar.gz': Buffer.from('an archive') },
  'repos/org/corpora': { 'all.tar.gz': Buffer.from('an archive') },
  'datasets/gated/stories': { 'stories.jsonl': lines(STORIES) },
};

const KEPT = [
  ...['HF_ENDPOINT', 'HF_HUB_CACHE', 'HF_HOME', 'HF_TOKEN', 'HF_HUB_OFFLINE'],
  ...['SAXBENCH_GITHUB_API', 'SAXBENCH_CACHE'],
];
const before = KEPT.map((name) => process.env[name]);
let hub: TestHub;
test.before(async () => {
  hub = await openTestHub(REPOSITORIES);
});
test.before.each(() => {
  for (const name of KEPT) delete process.env[name];
  const cache = mkdtempSync(join(root, 'cache-'));
  Object.assign(process.env, { HF_ENDPOINT: hub.endpoint, HF_HUB_CACHE: cache, HF_HOME: join(root, 'home') });
  hub.requests.length = 0;
});
test.after(() => {
  hub.close();
  KEPT.forEach((name, i) => {
    if (before[i] === undefined) delete process.env[name];
    else process.env[name] = before[i];
  });
  rmSync(root, { recursive: true });
});

const open = { seed: 0, baseDir: root };
const sizes = { train: 4, eval: 3 };
const storiesOf = (path: string | string[], context = {}) =>
  stories.open({ path, field: 'text' }, { ...open, ...context });

test('a file of a data set: downloaded once, in the layout of the Hugging Face cache, named in the result', async () => {
  const dataset = await storiesOf('hub:org/stories/stories.csv');
  assert.equal(dataset.notes, ['data: org/stories/stories.csv@0123456 of the hub']);
  assert.ok((await dataset.corpus('train', 100)).every(({ text }) => STORIES.includes(text!)));
  const place = await hubData('hub:org/stories');
  const folder = join(process.env['HF_HUB_CACHE']!, 'datasets--org--stories', 'snapshots', TEST_COMMIT);
  assert.equal(place, { path: join(folder, 'stories.csv'), name: 'org/stories/stories.csv@0123456' });
  hub.requests.length = 0;
  assert.is((await storiesOf('hub:org/stories', { download: false })).fingerprint, dataset.fingerprint);
  assert.is((await storiesOf(`hub:org/stories/stories.csv@${TEST_COMMIT}`)).fingerprint, dataset.fingerprint);
  process.env['HF_HUB_OFFLINE'] = '1';
  assert.is((await storiesOf('hub:org/stories/stories.csv')).fingerprint, dataset.fingerprint);
  assert.equal(hub.requests, []);
});

test('abstracts of the hub, where none lie here', async () => {
  const options = { words: 16, general: [], train: 6, eval: 6 };
  const abstractsPath = ['gone.csv', 'hub:org/abstracts/data/test.jsonl'];
  const dataset = await medical.open({ ...options, abstractsPath }, open);
  assert.equal(dataset.notes, ['data: org/abstracts/data/test.jsonl@0123456 of the hub']);
  assert.ok((await dataset.corpus('train', 100)).some(({ text }) => text!.includes('tells of thing')));
});

test('the same bytes here and on the hub are the same data set', async () => {
  writeFileSync(join(root, 'own.csv'), REPOSITORIES['datasets/org/stories']['stories.csv']);
  const [here, there] = [await storiesOf('own.csv'), await storiesOf('hub:org/stories')];
  assert.is(here.fingerprint, there.fingerprint);
  assert.equal(here.notes, []);
  assert.equal(await here.corpus('test', 50), await there.corpus('test', 50));
});

test('of several places the first that can be had, and the result says which', async () => {
  writeFileSync(join(root, 'own.csv'), REPOSITORIES['datasets/org/stories']['stories.csv']);
  assert.equal((await storiesOf(['own.csv', 'hub:org/stories'])).notes, ['data: local files own.csv']);
  assert.equal(hub.requests, [], 'nobody was asked');
  const second = await storiesOf(['gone.csv', 'hub:org/stories']);
  assert.equal(second.notes, ['data: org/stories/stories.csv@0123456 of the hub']);
  const none = await refusal(() => storiesOf(['gone.csv', 'hub:org/absent', 'hub:org/stories/b.csv']));
  assert.match(
    none,
    /^dataset stories: path: there is no .*gone\.csv; hub org\/absent@main: not found at .*; hub:org\/stories\/b\.csv: expected one file of data .*found none: name it; put the data there, or change the suite's 'path'\.$/,
  );
});

test('a place that was out of reach when the run was planned does not stand in the way when its data are opened again', async () => {
  writeFileSync(join(root, 'own.csv'), REPOSITORIES['datasets/org/stories']['stories.csv']);
  const path = ['hub:org/absent', 'own.csv'];
  const planned = await storiesOf(path);
  assert.is((await storiesOf(path, { download: false })).fingerprint, planned.fingerprint);
});

test('a folder of which one file is in the cache is not taken for one with that file alone', async () => {
  await hubData('hub:org/two/a.jsonl');
  const both = /expected one file of data .*found a\.jsonl, b\.jsonl: name it/;
  for (const revision of ['main', TEST_COMMIT]) assert.match(await refusal(hubData(`hub:org/two@${revision}`)), both);
});

test('tables as the hub has them: labels of AG News and SST-2, texts within a struct, AxBench’s folder', async () => {
  const corpusPath = 'hub:org/stories';
  const news = await agnews.open({ path: 'hub:org/news/data/test.parquet', corpusPath, ...sizes }, open);
  const { concepts, items } = await news.concepts!({});
  assert.equal(
    concepts.map(({ id }) => id),
    ['world', 'sports', 'business', 'science'],
  );
  for (const { text, concepts: own } of items) assert.is(own![0], concepts['abcd'.indexOf(text![0]!)]!.id);
  const films = await sst2.open({ path: 'hub:org/films', corpusPath, ...sizes }, open);
  for (const { text, concepts: own } of (await films.concepts!({})).items) {
    assert.equal(own, [text!.startsWith('fine') ? 'positive' : 'negative']);
  }
  const { path } = await hubData('hub:org/medical/labelled');
  assert.is(
    (await readDocuments(path, 'context.contexts'))[3],
    'Abstract number3 begins.\nIt ends, as abstracts do, with word3.',
  );
  assert.match(
    await refusal(readDocuments(path, 'context.texts')),
    /expected a text or an object with a text under 'context\.texts'/,
  );
  const tables = { corpusPath, negatives: 'genre' as const, format: 'plain' as const };
  const found = await axbench.open({ path: ['nowhere', 'hub:org/axbench/2b'], ...tables }, open);
  assert.is(found.notes![0], 'data: org/axbench/2b@0123456, org/stories/stories.csv@0123456 of the hub');
  assert.match(
    await refusal(() => axbench.open({ path: 'hub:org/axbench', ...tables }, open)),
    /hub:org\/axbench: expected generate\/train_data\.parquet and .*, or train\/data\.parquet and test\/data\.parquet; found 2b/,
  );
});

test('natural-text: each file of the corpus has its own other places, with their own fields', async () => {
  const dataset = await naturalText.open(
    {
      corpus: [
        [
          { path: join(root, 'gone.json'), field: 'CONTEXTS' },
          { path: 'hub:org/medical', field: 'context.contexts' },
        ],
        { path: 'hub:org/stories' },
      ],
      agnewsPath: ['gone.csv', 'hub:org/news'],
      ...{ ...sizes, words: 16, format: 'plain' as const },
    },
    open,
  );
  assert.equal(dataset.notes, [
    'data: org/medical/labelled/train.parquet@0123456, org/stories/stories.csv@0123456, org/news/data/test.parquet@0123456 of the hub',
  ]);
  const texts = (await dataset.corpus('train', 500)).map(({ text }) => text!);
  for (const source of [/^Abstract number/, /title/])
    assert.ok(
      texts.some((text) => source.test(text)),
      String(source),
    );
});

test('what cannot be had is one clear line', async () => {
  assert.match(
    await refusal(() => storiesOf('hub:org/two')),
    /hub:org\/two: expected one file of data .*found a\.jsonl, b\.jsonl: name it/,
  );
  assert.match(await refusal(() => storiesOf('hub:org')), /data hub:org: expected hub:OWNER\/REPO\/PATH@REVISION/);
  assert.match(await refusal(() => storiesOf('hub:org/stories/../x')), /without '\.\.'/);
  assert.match(
    await refusal(() => storiesOf('hub:gated/stories')),
    /access refused \(401\): accept the terms on its page and set HF_TOKEN/,
  );
  process.env['HF_TOKEN'] = 'secret';
  assert.ok((await storiesOf('hub:gated/stories')).fingerprint);
  process.env['HF_HUB_OFFLINE'] = '1';
  assert.match(
    await refusal(() => storiesOf('hub:org/two/a.jsonl')),
    /org\/two@main: not in the cache .*HF_HUB_OFFLINE is set/,
  );
  const bad = join(root, 'bad.jsonl');
  writeFileSync(
    bad,
    lines([
      { text: 'good', label: 0 },
      { text: 'worse', label: 7 },
    ]),
  );
  const opened = await sst2.open({ path: bad, corpusPath: bad, ...sizes }, open);
  assert.match(
    await refusal(opened.concepts!({})),
    /bad\.jsonl: row 1: expected a text under 'sentence' or 'text' and under 'label' a class from 0 to 1; found string and 7/,
  );
});

test('corpora elsewhere: an archive or a folder, by hub and GitHub; a domain and images lie here', async () => {
  process.env['SAXBENCH_GITHUB_API'] = hub.endpoint;
  process.env['SAXBENCH_CACHE'] = mkdtempSync(join(root, 'own-cache-'));
  const search = { dataset: 'medical', context: open };
  for (const place of [
    'hub:org/corpora/all.tar.gz',
    `hub:org/corpora/all.tar.gz@${TEST_COMMIT}`,
    `github:org/corpora/all.tar.gz@${TEST_COMMIT}`,
  ]) {
    const { path } = await findData(search, 'entitiesPath', place, entityFiles);
    assert.is(readFileSync(path, 'utf8'), 'an archive');
  }
  assert.match(
    await refusal(findData(search, 'entitiesPath', `github:org/corpora@${TEST_COMMIT}`, entityFiles)),
    /expected BC5CDR-IOB\/train\.tsv, .* and 4 more, or data\/BC5CDR-IOB.*; found all\.tar\.gz;/,
  );
  for (const schema of [domainOptions['path'], pixels.options['path']]) {
    const pattern = new RegExp((schema as unknown as { pattern: string }).pattern);
    assert.equal(
      ['./mine', 'hub:org/x', `github:org/x@${TEST_COMMIT}`].map((path) => pattern.test(path)),
      [true, false, false],
    );
  }
});

test('validate downloads nothing', async () => {
  let error: unknown;
  await storiesOf(['gone.csv', 'hub:org/stories'], { download: false }).catch((caught) => {
    error = caught;
  });
  assert.instance(error, NotDownloaded);
  const file = join(root, 'own.json');
  const dataset = { id: 'stories', options: { path: ['./gone.csv', 'hub:org/stories'] } };
  const subject = {
    id: 'tiny-lm-planted',
    sites: ['blocks.2.hook_resid_post'],
    activations: { train: 16, test: 8 },
    dataset,
  };
  const content = {
    id: 'own',
    title: 'Own',
    subjects: [subject],
    methods: [{ id: 'pca' }],
    tasks: [{ id: 'reconstruction' }],
  };
  writeFileSync(file, JSON.stringify(content));
  hub.requests.length = 0;
  assert.match((await runCommand('validate', file)).out, /valid: a suite/);
  assert.equal(hub.requests, []);
  await hubData('hub:org/stories');
  assert.match((await runCommand('validate', file)).out, /valid: a suite/, 'with what is here it is checked');
  const absent = { ...subject, dataset: { id: 'stories', options: { path: './gone.csv' } } };
  writeFileSync(file, JSON.stringify({ ...content, subjects: [absent] }));
  assert.match(await mistake('validate', file), /there is no .*gone\.csv/);
});

test.run();
