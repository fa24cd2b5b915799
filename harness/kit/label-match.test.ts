import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { matchLabels } from './label-match.ts';

const test = suite('kit/label-match');

test('the same text first, then the words that are rare among labels; the first latent of equals', () => {
  const labels = { 9: 'references to rivers', 3: 'Rainy  Days', 4: 'rainy days', 5: 'references to sea birds', 7: '!' };
  const [same, byId, alike, none, empty] = matchLabels(labels, [
    { id: 'a', label: ' rainy days' },
    { id: 'RAINY days', label: 'other' },
    { id: 'c', label: 'sea birds' },
    { id: 'd', label: 'references to code' },
    { id: 'e', label: '?' },
  ]);
  assert.equal(same, { latent: 3, label: 'Rainy  Days', similarity: 1 });
  assert.equal(byId, { latent: 3, label: 'Rainy  Days', similarity: 1 });
  // 5 labels: ln(6/3) + 1 for `references` and `to`, ln(6/2) + 1 for `sea` and `birds`.
  const [common, rare] = [Math.log(2) + 1, Math.log(3) + 1];
  assert.is(alike!.latent, 5);
  assert.ok(Math.abs(alike!.similarity - Math.sqrt((2 * rare ** 2) / (2 * rare ** 2 + 2 * common ** 2))) < 1e-12);
  // `references to` is shared, but the concept's own word (ln 6 + 1) weighs more.
  const [shared, own] = [2 * common ** 2, (Math.log(6) + 1) ** 2];
  assert.is(none === undefined, shared / Math.sqrt((shared + own) * (shared + rare ** 2)) < 0.5);
  assert.is(empty, undefined);
  // Numbers and letters by themselves are words.
  assert.equal(matchLabels({ 0: 'concept 0' }, [{ id: 'x', label: 'concept 1' }]), [undefined]);
  assert.equal(matchLabels({}, [{ id: 'a', label: 'a b' }]), [undefined]);
});

test('marks belong to their letters, however an accent is written', () => {
  const [composed, decomposed] = ['caf\u00e9s', 'cafe\u0301s'];
  const [accent, hindi] = matchLabels({ 0: decomposed, 1: '\u0939\u093f\u0928\u094d\u0926\u0940' }, [
    { id: 'a', label: composed },
    // The same consonants with other vowels: another word.
    { id: 'b', label: '\u0939\u093e\u0928\u093e\u0926\u093f' },
  ]);
  assert.equal(accent, { latent: 0, label: decomposed, similarity: 1 });
  assert.is(hindi, undefined);
});

test.run();
