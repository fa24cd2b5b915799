import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { citationLines, citationOf } from './citation.ts';
import { metric, resultWith } from './testing/results.ts';

const test = suite('reports/citation');

const rows = [{ axes: {}, metrics: { auroc: metric(0.9, [0.8, 1], { main: true }) } }];
const provenance = { ...resultWith('a', rows).provenance, git: { commit: 'c'.repeat(40), dirty: true } };
const first = resultWith('a', rows, { provenance, key: '1'.repeat(64) });
const second = resultWith('b', rows, { provenance, key: '2'.repeat(64) });

test('the hash is of the keys in whatever order, and another for another result', () => {
  const hashOf = (...results: (typeof first)[]) => citationOf(results).results;
  assert.equal(hashOf(first, second), hashOf(second, first));
  assert.is(hashOf(first, second).count, 2);
  assert.is.not(hashOf(first).sha256, hashOf(second).sha256);
  assert.is.not(
    citationOf([first]).steps.sha256,
    citationOf([{ ...first, provenance: { ...provenance, steps: { fit: '3'.repeat(64) } } }]).steps.sha256,
  );
});

test('what they were made with is said once, in words and for BibTeX', () => {
  const citation = citationOf([first, second]);
  const { version } = provenance.backend;
  const made = `saxbench ${provenance.saxbench}, commit ${'c'.repeat(40)} (modified), backend ${provenance.backend.name} ${version}`;
  assert.equal(citation.software, [made]);
  const lines = citationLines(citation);
  for (const said of [
    made,
    `fingerprint ${first.subject.fingerprint}`,
    'concept-detection version',
    citation.results.sha256,
  ])
    assert.is(lines.filter((line) => line.includes(said)).length, 1, said);
  assert.match(citation.bibtex, /^@misc\{saxbench-[0-9a-f]{8},\n/);
  assert.match(citation.bibtex, 'commit cccccccccccccccc}');
  assert.not.match(citation.bibtex, 'limited');
  assert.match(citationOf([{ ...first, limited: true }]).bibtex, 'limited run');
});

test('results of one key are one wherever they are counted, and a leaderboard tells its protocol', () => {
  const again = { ...second, method: { ...second.method, name: 'c' } };
  const { results, bibtex } = citationOf([first, second, again]);
  assert.is(results.count, 2);
  assert.match(bibtex, '; 2 results, SHA-256');
  const board = citationOf([first], { protocol: '2027.1', suite: 'variants' });
  assert.match(board.bibtex, /Suite [^;]+; protocol 2027\.1; /);
  assert.ok(citationLines(board).includes('protocol 2027.1, of the suite variants'));
  assert.not.match(bibtex + citationLines(citationOf([first])).join(), 'protocol');
});

test('no name unbalances or ends an entry', () => {
  const { bibtex } = citationOf([{ ...first, suite: { id: 'a}b{{%\n@c', title: '' } }]);
  const depth = [...bibtex].reduce((sum, each) => sum + Number(each === '{') - Number(each === '}'), 0);
  assert.is(depth, 0);
  assert.match(bibtex, 'Suite a\\textbraceright{}b\\textbraceleft{}\\textbraceleft{}\\% @c;');
  assert.is(bibtex.split('\n').length, 6);
});

test.run();
