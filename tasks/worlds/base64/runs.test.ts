/** @file What counts as a run of base64: bytes and texts encoded do, what looks like them does not. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createRng, packageRoot } from '../../../harness/kit/index.ts';
import { base64Runs, encoded } from './runs.ts';
import { base64Text } from './texts.ts';

const test = suite('tasks/worlds/base64');

test('encoded bytes and texts are runs, whatever stands around them; shorter ones are none', () => {
  const text = 'Man is distinguished, not only by his reason';
  const run = encoded(Buffer.from(text));
  assert.is(run, 'TWFuIGlzIGRpc3Rpbmd1aXNoZWQsIG5vdCBvbmx5IGJ5IGhpcyByZWFzb24=');
  assert.equal(base64Runs(`a ${run}, and "${run}"`), [run.slice(0, -1), run.slice(0, -1)]);
  assert.equal(base64Runs(run.slice(0, 20)), [run.slice(0, 20)]);
  assert.equal(base64Runs(run.slice(0, 19)), []);
  assert.equal(base64Runs(`${run.slice(0, 12)} ${run.slice(12, 24)}`), [], 'not across a space');
  const rng = createRng('runs');
  const hits = (size: number) =>
    Array.from({ length: 500 }, () => Uint8Array.from({ length: size }, () => rng.int(256))).filter(
      (bytes) => base64Runs(encoded(bytes)).length > 0,
    ).length / 500;
  assert.ok(hits(15) > 0.9, 'of 20 characters some lack a digit');
  assert.ok(hits(48) > 0.99);
});

test('words, hexadecimal digits, identifiers, paths, numbers and repetitions are none', () => {
  for (const text of [
    'internationalisationalism antidisestablishmentarianism',
    'INTERNATIONALISATION and 012345678901234567890123456789',
    '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
    '9F86D081884C7D659A2FEAA0C55AD015A3BF4F1B',
    '123e4567-e89b-12d3-a456-426614174000',
    '/usr/local/lib/python3/site/packages/numpy',
    'getHttpResponseFromServerWithTimeout30',
    'MAX_RETRIES_BEFORE_GIVING_UP_ENTIRELY_42',
    'https://example.org/a/b/c/d/e/f/g/h/i/j/k/l/m',
    'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaA1',
    'A'.repeat(50),
    '',
  ]) {
    assert.equal(base64Runs(text), [], text);
  }
});

test('texts of the three kinds: the same but for the string, and only the first has a run', () => {
  const rng = createRng('texts');
  for (let i = 0; i < 300; i++) {
    const [base64, words, lookalike] = (['base64', 'words', 'lookalike'] as const).map((kind) =>
      base64Text(kind, rng.fork(i)),
    );
    assert.is(base64Runs(base64!).length, 1, base64);
    assert.equal([...base64Runs(words!), ...base64Runs(lookalike!)], []);
    let same = 0;
    while (base64![same] === words![same] && words![same] === lookalike![same]) same++;
    const [run] = base64Runs(base64!);
    assert.ok(base64!.indexOf(run!) - same <= 1, 'they begin alike up to the string');
    assert.not.match(base64!, /base64|[~#%]/i);
  }
});

const corpus = join(packageRoot, '../shared/data/wikitext2/valid.txt');
const real = existsSync(corpus) ? test : test.skip;
if (!existsSync(corpus)) console.log('skipped: runs in WikiText-2; ../shared/data is absent');
real('WikiText-2 has none', () => {
  assert.equal(base64Runs(readFileSync(corpus, 'utf8')), []);
});

test.run();
