/** @file Labelled examples: which items and labels; a concept that cannot be scored is refused by name. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { memorySet } from '../activations/activation-set.ts';
import type { ConceptExample, ConceptSet } from '../contract/data.ts';
import { uniqueConcepts } from '../suite/fitting-dataset.ts';
import { labelledActivations } from './labelled.ts';

const test = suite('labelled');

const example = (item: number, split: 'train' | 'eval', role: ConceptExample['role'], concept = 0): ConceptExample => ({
  ...{ concept, item, split, role },
});

const whole = [
  example(0, 'train', 'positive'),
  example(1, 'train', 'negative'),
  example(2, 'eval', 'positive'),
  example(3, 'eval', 'negative'),
  example(4, 'eval', 'hard-negative'),
];

const labelled = (examples: ConceptExample[]) => {
  const items = Array.from({ length: 5 }, (_, i) => ({ id: `${i}` }));
  const set: ConceptSet = { concepts: [{ id: 'heart', label: 'the heart' }], items, examples };
  return labelledActivations(set, memorySet(new Float32Array(5), 1));
};

test('items of one named group share a number, others have their own', () => {
  const items = ['a', undefined, 'a', 'b', undefined].map((group, i) => ({ id: `${i}`, ...(group && { group }) }));
  const set: ConceptSet = { concepts: [{ id: 'heart', label: 'the heart' }], items, examples: whole };
  const { activations } = labelledActivations(set, memorySet(new Float32Array(5), 1));
  assert.equal(activations.groups, Uint32Array.of(0, 1, 0, 2, 3));
  assert.is(labelled(whole).activations.groups, undefined);
});

test('examples of a split, with and without hard negatives', () => {
  const { examples } = labelled(whole);
  assert.equal(examples(0, 'train'), { items: Uint32Array.of(0, 1), labels: Uint8Array.of(1, 0) });
  assert.equal(examples(0, 'eval'), { items: Uint32Array.of(2, 3), labels: Uint8Array.of(1, 0) });
  assert.equal(examples(0, 'eval', { hardNegatives: true }).items, Uint32Array.of(2, 3, 4));
  assert.equal(examples(0, 'eval', { hardNegatives: true }).labels, Uint8Array.of(1, 0, 0));
});

test('no positives, or no negatives', () => {
  const without = (item: number) => () => labelled(whole.filter((each) => each.item !== item));
  assert.throws(
    without(0),
    /concept 'heart': expected at least one positive example in the train split; found none among its 1/,
  );
  assert.throws(
    without(3),
    /'heart': expected at least one negative example in the eval split; found none among its 2/,
  );
});

test('concepts that share an id are refused by name', () => {
  const concepts = ['a', 'b', 'a', 'c', 'c', 'a'].map((id) => ({ id, label: id }));
  const given = { concepts, items: [], examples: [] };
  assert.throws(
    () => uniqueConcepts(given, 'words'),
    /dataset words: expected an id of its own .*; found several of a, c\./,
  );
  assert.is(uniqueConcepts({ ...given, concepts: concepts.slice(0, 2) }, 'words').concepts.length, 2);
});

test.run();
