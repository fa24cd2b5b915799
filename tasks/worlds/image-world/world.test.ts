/** @file The image world: what is asked for is drawn, everything is seeded, and pixels carry the attributes. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createRng } from '../../../harness/kit/index.ts';
import { ATTRIBUTE_NAMES, ATTRIBUTE_VALUES, attributeVector, COLOUR_RGB, COLOURS } from './attributes.ts';
import { positionPhrase } from './caption.ts';
import { imagePair, PAIRED_ATTRIBUTES } from './pairs.ts';
import { sampleAttributes } from './scene.ts';
import { generateImage } from './world.ts';

const test = suite('image-world');

test('an image is 64 x 64 RGB, the same for the same seed', () => {
  const [a, b, c] = [1, 1, 2].map((seed) => generateImage(createRng(seed)));
  assert.equal([a!.width, a!.height, a!.data.length, a!.mask.length], [64, 64, 12288, 4096]);
  assert.equal(a, b);
  assert.not.equal(a!.data, c!.data);
});

test('fixed attributes are kept, contradictions refused', () => {
  const rng = createRng(3);
  for (let i = 0; i < 20; i++) {
    const { attributes } = generateImage(rng, { colour: 'red', count: 'three' });
    assert.equal([attributes.kind, attributes.colour, attributes.count], ['shapes', 'red', 'three']);
    assert.is(sampleAttributes(rng, { finding: 'lesion' }).kind, 'brain scan');
  }
  assert.throws(() => sampleAttributes(rng, { kind: 'brain scan', colour: 'red' }), /'brain scan' image has no colour/);
});

test('every value of every attribute occurs', () => {
  const rng = createRng(4);
  const seen = new Set<string>();
  for (let i = 0; i < 600; i++) {
    for (const [key, value] of Object.entries(sampleAttributes(rng))) if (value !== null) seen.add(`${key}=${value}`);
  }
  assert.equal(
    [...ATTRIBUTE_NAMES].filter((name) => !seen.has(name)),
    [],
  );
});

test('a solid object has its colour, and not a nearer other one', () => {
  const rng = createRng(5);
  for (const colour of COLOURS) {
    const { data, mask } = generateImage(rng, { colour, texture: 'solid', size: 'large', shape: 'square' });
    const mean = [0, 1, 2].map((channel) => {
      const values = [...mask.keys()].filter((p) => mask[p] === 1).map((p) => data[p * 3 + channel]!);
      return values.reduce((sum, v) => sum + v, 0) / values.length;
    });
    const gap = (other: (typeof COLOURS)[number]): number =>
      Math.hypot(...COLOUR_RGB[other].map((v, channel) => v - mean[channel]!));
    assert.is([...COLOURS].sort((a, b) => gap(a) - gap(b))[0], colour);
  }
});

test('the mask has as many separate objects as the count, wholly inside the image', () => {
  const rng = createRng(6);
  for (const [count, expected] of [
    ['one', 1],
    ['two', 2],
    ['three', 3],
  ] as const) {
    for (const size of ['small', 'large'] as const) {
      for (let i = 0; i < 12; i++) {
        const { mask, attributes } = generateImage(rng, { count, size });
        assert.is(components(mask), expected, JSON.stringify(attributes));
        for (let p = 0; p < 64; p++) {
          assert.is(mask[p]! + mask[4032 + p]! + mask[p * 64]! + mask[p * 64 + 63]!, 0, JSON.stringify(attributes));
        }
      }
    }
  }
});

test('objects and findings are on the side they are said to be', () => {
  const rng = createRng(7);
  const centre = (mask: Uint8Array): number => {
    const marked = [...mask.keys()].filter((p) => mask[p] === 1);
    return marked.reduce((sum, p) => sum + (p % 64), 0) / marked.length;
  };
  for (let i = 0; i < 30; i++) {
    const { mask: left } = generateImage(rng, { position: 'left', size: 'small' });
    const { mask: right } = generateImage(rng, { position: 'right', size: 'small' });
    assert.ok(centre(left) < 26 && centre(right) > 38);
    for (const finding of ['nodule', 'effusion', 'lesion'] as const) {
      assert.ok(centre(generateImage(rng, { finding, side: 'left' }).mask) < 31);
      assert.ok(centre(generateImage(rng, { finding, side: 'right' }).mask) > 33);
    }
  }
  const normal = generateImage(rng, { kind: 'chest x-ray', finding: 'none' });
  assert.not.ok(normal.mask.includes(1));
});

test('a finding is brighter than the same scan without it', () => {
  for (const finding of ['nodule', 'effusion', 'lesion'] as const) {
    const rng = createRng(8);
    for (let i = 0; i < 10; i++) {
      const { data, mask } = generateImage(rng, { finding });
      const marked = [...mask.keys()].filter((p) => mask[p] === 1);
      assert.ok(marked.length > 15);
      assert.ok(marked.reduce((sum, p) => sum + data[p * 3]!, 0) / marked.length > 180);
    }
  }
});

test('captions say only what is shown', () => {
  const rng = createRng(9);
  for (let i = 0; i < 800; i++) {
    const { attributes, caption } = generateImage(rng);
    const words = new Set(caption.replace(/^(a photo|a picture|an image) of /, '').split(' '));
    for (const key of ['shape', 'colour', 'texture', 'size', 'finding'] as const) {
      for (const value of ATTRIBUTE_VALUES[key] as readonly string[]) {
        const said = words.has(value) || words.has(`${value}s`) || words.has(`${value}es`);
        if (said && attributes[key] !== value) assert.unreachable(`"${caption}" ${JSON.stringify(attributes)}`);
      }
    }
    if (attributes.position && / (at|in|on) the /.test(caption)) {
      assert.ok(caption.includes(positionPhrase(attributes.position)), caption);
    }
  }
});

test('attribute vectors have unit norm, and cosine grows with shared attributes', () => {
  const rng = createRng(10);
  const base = sampleAttributes(rng, { kind: 'shapes', shape: 'circle', colour: 'red' });
  const cosine = (a: Float32Array, b: Float32Array): number => a.reduce((sum, v, i) => sum + v * b[i]!, 0);
  const vector = attributeVector(base);
  assert.is(vector.length, ATTRIBUTE_NAMES.length);
  assert.ok(Math.abs(cosine(vector, vector) - 1) < 1e-6);
  // Eight attributes apply to an image of shapes.
  assert.ok(Math.abs(cosine(vector, attributeVector({ ...base, shape: 'ring' })) - 7 / 8) < 1e-6);
  assert.ok(Math.abs(cosine(vector, attributeVector({ ...base, shape: 'ring', colour: 'blue' })) - 6 / 8) < 1e-6);
  assert.is(cosine(vector, attributeVector(sampleAttributes(rng, { kind: 'brain scan' }))), 0);
});

/** Number of 8-connected components of the marked pixels. */
function components(mask: Uint8Array): number {
  const left = Uint8Array.from(mask);
  let found = 0;
  for (let p = 0; p < left.length; p++) {
    if (left[p] === 0) continue;
    found++;
    const open = [p];
    left[p] = 0;
    while (open.length > 0) {
      const q = open.pop()!;
      for (const step of [-65, -64, -63, -1, 1, 63, 64, 65]) {
        if (left[q + step] === 1) {
          left[q + step] = 0;
          open.push(q + step);
        }
      }
    }
  }
  return found;
}

test('a pair differs in the one attribute alone, and is drawn alike in all else', () => {
  for (const attribute of PAIRED_ATTRIBUTES) {
    const seen = new Set<string>();
    for (let seed = 0; seed < 30; seed++) {
      const { before, after } = imagePair(attribute, createRng(`pair ${seed}`));
      const differing = Object.keys(ATTRIBUTE_VALUES).filter(
        (name) => before.attributes[name as never] !== after.attributes[name as never],
      );
      assert.equal(differing, [attribute]);
      assert.ok(before.attributes[attribute] !== null && after.attributes[attribute] !== null);
      assert.not.equal(before.data, after.data);
      seen.add(`${after.attributes[attribute]}`);
      // Where neither has an object nor a soft edge, not a pixel differs: background, slope and noise are the same.
      if (attribute !== 'colour') continue;
      assert.equal(before.mask, after.mask);
      const outside = before.mask.filter(
        (flag, pixel) => flag === 0 && before.data[3 * pixel] === after.data[3 * pixel],
      );
      assert.ok(outside.length > 0.7 * before.mask.filter((flag) => flag === 0).length);
    }
    assert.ok(seen.size >= 2, `${attribute} always becomes ${[...seen]}`);
  }
  assert.equal(imagePair('shape', createRng(1)), imagePair('shape', createRng(1)));
});

test.run();
