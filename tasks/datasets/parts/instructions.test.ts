/** @file Instructions of each concept: numpy's draw, their topics, and files that are not what they should be. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { refusal } from '../../../harness/testing/failing.ts';
import { conversationFormat } from './conversation.ts';
import { readInstructions } from './instructions.ts';
import { numpyPermutation } from './numpy-permutation.ts';

const test = suite('tasks/datasets/parts/instructions');
const folder = mkdtempSync(join(tmpdir(), 'saxbench-instructions-'));
test.after(() => rmSync(folder, { recursive: true }));

/** `numpy.random.RandomState(seed).permutation(n)[:10]` of numpy 2.3. */
const NUMPY: [seed: number, n: number, first: number[]][] = [
  [0, 805, [8, 258, 172, 317, 294, 251, 609, 331, 775, 320]],
  [7, 805, [601, 796, 643, 272, 498, 716, 401, 372, 34, 61]],
  [1, 700, [681, 626, 329, 620, 399, 443, 274, 529, 358, 268]],
  [5, 64, [29, 60, 31, 61, 23, 46, 56, 10, 28, 63]],
  [2 ** 32 - 1, 10, [6, 9, 5, 1, 8, 0, 7, 4, 2, 3]],
  [3, 1, [0]],
];

test("numpy's permutations, each a permutation", () => {
  for (const [seed, n, first] of NUMPY) {
    const order = numpyPermutation(seed, n);
    assert.equal(order.slice(0, 10), first);
    assert.equal(
      [...order].sort((a, b) => a - b),
      Array.from({ length: n }, (_, i) => i),
    );
  }
  assert.equal(numpyPermutation(0, 0), []);
});

const file = (name: string, content: unknown): string => {
  const path = join(folder, name);
  writeFileSync(path, JSON.stringify(content));
  return path;
};
const concept = (id: string) => ({ id, label: id });

test('a concept has the instructions of its number in the format; the same ones have the same id', async () => {
  const format = await conversationFormat('plain', { seed: 0, baseDir: '' });
  const all = Array.from({ length: 64 }, (_, i) => ({ instruction: `Tell me of thing${i}`, output: 'x' }));
  const { promptsOf, description } = await readInstructions(file('some.json', all), format);
  assert.match(description, /of 64 \(AlpacaEval has 805: not AxBench's draw\)$/);
  const prompts = promptsOf(concept('concept-5'), 10);
  assert.equal(
    prompts.map(({ id }) => id),
    NUMPY[3]![2].map((place) => `instruction-${place}`),
  );
  assert.equal(prompts[0], { id: 'instruction-29', text: 'Tell me of thing29\n\n', topic: 'thing29' });
  assert.is(promptsOf(concept('concept-6'), 64).length, 64);
  for (const [given, n, expected] of [
    ['c', 1, /whose id ends in its number, found 'c'/],
    ['concept-1', 65, /at least 65, one a prompt; found 64/],
  ] as const) {
    assert.match(await refusal(async () => promptsOf(concept(given), n)), expected);
  }
  // Where every word is common, all of them are the topic.
  const same = Array.from({ length: 30 }, () => ({ instruction: 'Say hello' }));
  const common = await readInstructions(file('common.json', same), format);
  assert.is(common.promptsOf(concept('1'), 1)[0]!.topic, 'say hello');
});

test('a file without instructions is refused', async () => {
  const format = await conversationFormat('plain', { seed: 0, baseDir: '' });
  const read = (content: unknown) => refusal(() => readInstructions(file('bad.json', content), format));
  assert.match(await read([{ text: 'a' }]), /entry 0: expected a text or an object with a text under 'instruction'/);
  assert.match(await read([]), /at least one document/);
  assert.match(await read('a'), /expected a list/);
});

test.run();
