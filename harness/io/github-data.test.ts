/** @file Data of repositories on GitHub: found, checked, kept, and refused in one line. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { refusal } from '../testing/failing.ts';
import { openTestHub, TEST_COMMIT, type TestHub } from '../testing/hub-server.ts';
import { githubData } from './github-data.ts';

const test = suite('github-data');
const root = mkdtempSync(join(tmpdir(), 'saxbench-github-'));
const FILES = {
  'data/a/train.tsv': Buffer.from('first\n'),
  'data/a/test.tsv': Buffer.from('second\n'),
  'data/b.csv': Buffer.from('id,text\n'),
  'all/corpora.tar.gz': Buffer.from('an archive'),
  'all/large.csv': Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:0\n'),
  'links/c.csv': Buffer.from('elsewhere.csv'),
};
let hub: TestHub;
let env: Record<string, string>;
test.before(async () => {
  hub = await openTestHub({ 'repos/org/corpora': FILES });
});
test.before.each(() => {
  hub.requests.length = 0;
  env = { SAXBENCH_GITHUB_API: hub.endpoint, SAXBENCH_CACHE: mkdtempSync(join(root, 'cache-')), HF_HOME: root };
});
test.after(() => {
  hub.close();
  rmSync(root, { recursive: true });
});

const at = (path: string, commit = TEST_COMMIT) => `github:org/corpora${path}@${commit}`;
const both = [['absent.tsv'], ['a/train.tsv', 'a/test.tsv']];

test('a folder of files: only those that are asked for, once, and nobody is asked again', async () => {
  const found = await githubData(at('/data'), { env, files: both });
  assert.is(found.name, 'org/corpora/data@0123456');
  assert.is(found.path, join(env['SAXBENCH_CACHE']!, 'github', 'org--corpora', TEST_COMMIT, 'data'));
  for (const file of ['a/train.tsv', 'a/test.tsv'] as const)
    assert.equal(readFileSync(join(found.path, file)), FILES[`data/${file}`]);
  assert.is(hub.requests.length, 3);
  hub.requests.length = 0;
  assert.equal(await githubData(at('/data'), { env: { ...env, HF_HUB_OFFLINE: '1' }, files: both }), found);
  assert.equal(await githubData(at('/data'), { env, files: both, download: false }), found);
  assert.equal(hub.requests, []);
});

test('one file, by its name or as the only one of its folder', async () => {
  for (const path of ['/data/b.csv', '/data/b.csv/']) {
    const { path: place, name } = await githubData(at(path), { env });
    assert.equal(readFileSync(place), FILES['data/b.csv']);
    assert.is(name, 'org/corpora/data/b.csv@0123456');
  }
  assert.match(await refusal(githubData(at('/data'), { env })), /expected one file of data .*: name it/);
});

test('what is here is found again without asking, whatever its name: offline, and where nothing may be downloaded', async () => {
  for (const path of ['/all/corpora.tar.gz', '/data/a/test.tsv']) {
    const found = await githubData(at(path), { env });
    hub.requests.length = 0;
    assert.equal(await githubData(at(path), { env: { ...env, HF_HUB_OFFLINE: '1' } }), found);
    assert.equal(await githubData(at(path), { env, download: false }), found);
    assert.equal(hub.requests, []);
  }
});

test('several at once fetch the same', async () => {
  const all = await Promise.all(Array.from({ length: 4 }, () => githubData(at('/data/b.csv'), { env })));
  for (const { path } of all) assert.equal(readFileSync(path), FILES['data/b.csv']);
});

test('links, and what stands for files that are kept elsewhere, are no data', async () => {
  assert.match(await refusal(githubData(at('/links/c.csv'), { env })), /expected one file of data .*found none/);
  assert.match(
    await refusal(githubData(at('/all/large.csv'), { env })),
    /found a pointer of Git LFS in its place: download/,
  );
});

test('a content that is not the one of the commit is not kept', async () => {
  const broken = await openTestHub({ 'repos/org/corpora': FILES });
  const answer = globalThis.fetch;
  globalThis.fetch = async (url, init) => {
    const given = await answer(url, init);
    return /blobs/.test(String(url)) ? new Response('FIRST\n') : given;
  };
  const changed = { env: { ...env, SAXBENCH_GITHUB_API: broken.endpoint } };
  try {
    assert.match(await refusal(githubData(at('/data/a/train.tsv'), changed)), /does not have the hash .*: try again/);
  } finally {
    globalThis.fetch = answer;
    broken.close();
  }
  assert.equal(readFileSync((await githubData(at('/data/a/train.tsv'), { env })).path), FILES['data/a/train.tsv']);
});

test('what cannot be had is one clear line', async () => {
  for (const wrong of ['github:org/corpora/data@main', 'github:org/corpora', at('/../x'), 'github:org'])
    assert.match(
      await refusal(githubData(wrong, { env })),
      /expected github:OWNER\/REPO\/PATH@COMMIT, the commit's 40 digits 0 to 9 and a to f/,
    );
  assert.match(
    await refusal(githubData(at('', 'f'.repeat(40)), { env })),
    /org\/corpora@fffffff: not found at .*: check/,
  );
  assert.match(await refusal(githubData(at('/absent.tsv'), { env })), /expected one file of data .*found none/);
  assert.match(
    await refusal(githubData(at('/data/b.csv'), { env, download: false })),
    /not downloaded yet, or no longer there: run the command again/,
  );
  assert.match(
    await refusal(githubData(at('/data/b.csv'), { env: { ...env, HF_HUB_OFFLINE: '1' } })),
    /not in the cache .*HF_HUB_OFFLINE is set/,
  );
  const full = join(root, 'a-file');
  writeFileSync(full, '');
  assert.match(await refusal(githubData(at('/data/b.csv'), { env: { ...env, SAXBENCH_CACHE: full } })), /a-file/);
});

test.run();
