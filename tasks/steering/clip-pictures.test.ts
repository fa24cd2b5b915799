import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { nearestOf, pictureDetails, thumbnailsOf } from './clip-pictures.ts';

const test = suite('tasks/steering/clip-pictures');

const image = { width: 1, height: 1, data: Uint8Array.of(255, 0, 0) };
const pool = ['a', 'b', 'c'].map((id) => ({ id, image }));

test('the nearest other image is that of largest cosine, never the image itself', () => {
  const rows = Float32Array.of(1, 0, 0.8, 0.6, 0, 1);
  assert.is(nearestOf(Float32Array.of(1, 0), rows, 0), 1);
  assert.is(nearestOf(Float32Array.of(1, 0), rows, 1), 0);
  assert.is(nearestOf(Float32Array.of(-1, 0), rows, 0), 2);
  assert.is(nearestOf(Float32Array.of(1, 0), rows.subarray(0, 2), 0), -1);
});

test('a result tells by image where each factor took it; none where no picture is asked for', async () => {
  const trial = (factor: number, nearest: number, after: number) => ({
    factor,
    score: factor / 2,
    result: { pictures: [{ image: 2, nearest, before: 0, after }] },
  });
  const told = pictureDetails([trial(1, 0, 0), trial(2, 1, 1)], pool, ['red', 'blue']);
  assert.equal(told, [
    {
      item: 'c',
      answer: 'red',
      steered: [
        { factor: 1, item: 'a', answer: 'red', overall: 0.5 },
        { factor: 2, item: 'b', answer: 'blue', overall: 1 },
      ],
    },
  ]);
  assert.equal(pictureDetails([{ factor: 1, score: 0, result: { pictures: [] } }], pool, []), []);
  assert.equal(pictureDetails([trial(1, -1, 0)], pool, ['red'])[0]!.steered, [], 'an image alone is near to none');
  assert.equal(Object.keys(await thumbnailsOf(new Set(['b', 'other']), pool)), ['b']);
});

test.run();
