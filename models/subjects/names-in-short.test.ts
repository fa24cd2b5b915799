/** @file Names of tensors in messages. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { namesInShort } from './names-in-short.ts';

const test = suite('models/subjects/names-in-short');

test('what differs in the number of the block alone is one entry, in the order of the first', () => {
  const names = ['wte.weight', 'h.10.a.bias', 'h.2.a.bias', 'h.0.b.bias', 'h.1.b.bias', 'h.2.b.bias', 'h.1.c.2.weight'];
  assert.is(namesInShort(names), 'wte.weight, h.{2,10}.a.bias, h.{0..2}.b.bias, h.1.c.2.weight');
  assert.is(namesInShort(['0.a.b', '1.a.b']), '{0,1}.a.b');
  assert.is(namesInShort(['h.0', 'h.1', 'h0.a', '']), 'h.0, h.1, h0.a, ');
});

test('details stand after the entry, by its first name', () => {
  assert.is(
    namesInShort(['h.1.a', 'h.0.a'], (name) => ` [${name.length}]`),
    'h.{0,1}.a [5]',
  );
});

test('a file of another model does not fill the screen', () => {
  const names = Array.from({ length: 1000 }, (_, i) => `strange${i}.weight`);
  assert.match(namesInShort(names), /^strange0\.weight, .*, strange23\.weight and 976 more$/);
});

test.run();
