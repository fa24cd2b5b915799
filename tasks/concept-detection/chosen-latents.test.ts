import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { latentsOf } from './chosen-latents.ts';

const test = suite('tasks/concept-detection/chosen-latents');

test('latents that a selection took alone, each once with all of its concepts, the best first', () => {
  const line = (id: string, auroc: number, chosen: object) => ({ id, label: id.toUpperCase(), auroc, ...chosen });
  const found = latentsOf([
    { name: 'auroc', details: [line('a', 0.7, { latent: 3, sign: 1 }), line('b', 0.9, { latent: 5, sign: -1 })] },
    {
      name: 'probe-k1',
      details: [line('a', 0.71234, { latents: [3], signs: [1] }), line('b', 0.9, { latents: [5], signs: [1] })],
    },
    { name: 'probe-k5', details: [line('a', 1, { latents: [1, 2], signs: [1, 1] }), line('b', 1, { latents: [] })] },
    { name: 'detector', details: [line('a', 1, {})] },
  ]);
  assert.equal(
    found.map(({ latent, sign, concepts }) => [
      latent,
      sign,
      concepts!.map(({ id, selection, auroc }) => `${id} ${selection} ${auroc}`),
    ]),
    [
      [5, -1, ['b auroc 0.9']],
      [5, 1, ['b probe-k1 0.9']],
      [3, 1, ['a auroc 0.7', 'a probe-k1 0.7123']],
    ],
  );
  const many = Array.from({ length: 99 }, (_, i) => line(`${i}`, i / 99, { latent: i, sign: 1 }));
  const kept = latentsOf([{ name: 'auroc', details: many }]);
  assert.equal([kept.length, kept[0]!.latent, kept.at(-1)!.latent], [48, 98, 51]);
});

test.run();
