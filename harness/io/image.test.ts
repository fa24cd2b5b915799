/** @file Tests of image decoding and CLIP preprocessing against Pillow and HF's CLIPImageProcessor. */

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { refusal } from '../testing/failing.ts';
import { decodeImage } from './image.ts';
import { fitImage, loadImagePreprocessing, parseImagePreprocessing, preprocessImages } from './image-preprocessing.ts';
import { openNpz } from './npy.ts';
import { pilResize, type Resample } from './pil-resize.ts';

const test = suite('io/image');
const testdata = fileURLToPath(new URL('./testdata/', import.meta.url));

test('decodes every kind of pixels as transformers with Pillow does', async () => {
  const npz = await openNpz(`${testdata}image-decoded.golden.npz`);
  for (const name of npz.names) {
    const { shape, data } = await npz.read(name);
    const image = await decodeImage(`${testdata}${name.replace('.', '.golden.')}`);
    assert.equal([image.height, image.width, 3], shape, name);
    assert.equal(image.data, data, name);
  }
  assert.is(npz.names.length, 11);
  const bytes = readFileSync(`${testdata}rgb.golden.png`);
  assert.equal((await decodeImage(bytes)).data, (await npz.read('rgb.png')).data);
});

test("resizes with Pillow's bytes, for each filter, smaller and larger", async () => {
  const image = await decodeImage(`${testdata}rgb.golden.png`);
  const npz = await openNpz(`${testdata}image-resized.golden.npz`);
  assert.is(npz.names.length, 8);
  for (const name of npz.names) {
    const [resample, width, height] = name.split(/[_x]/).map(Number) as [Resample, number, number];
    assert.equal(pilResize(image, width, height, resample).data, (await npz.read(name)).data, name);
  }
  assert.is(pilResize(image, image.width, image.height, 3), image);
});

test("gives the numbers of HF's processor", async () => {
  const image = await decodeImage(`${testdata}rgb.golden.png`);
  const npz = await openNpz(`${testdata}image-processed.golden.npz`);
  const configs: Record<string, object> = {
    clip: { size: { shortest_edge: 24 }, crop_size: { height: 24, width: 24 } },
    enlarged: { size: { shortest_edge: 45 }, crop_size: 41 },
    vit: { image_processor_type: 'ViTImageProcessor', size: 14 },
    bit: { image_processor_type: 'BitImageProcessorFast', size: { shortest_edge: 20 }, crop_size: 14 },
    siglip: { image_processor_type: 'SiglipImageProcessor', size: { height: 14, width: 14 } },
    padded: { size: 10, crop_size: { height: 15, width: 13 } },
    plain: { size: { height: 9, width: 12 }, do_center_crop: false, do_normalize: false, resample: 2 },
  };
  for (const [name, config] of Object.entries(configs)) {
    const expected = await npz.read(name);
    const steps = parseImagePreprocessing(name, config);
    const planar = preprocessImages([image], steps, 'nchw');
    assert.equal(planar.shape, [1, ...expected.shape], name);
    const worst = planar.data.reduce((most, value, i) => Math.max(most, Math.abs(value - expected.data[i]!)), 0);
    assert.ok(worst < 3e-7, `${name}: differs by ${worst}`);
    const { data, shape } = preprocessImages([image, image], steps);
    const [, height, width] = shape as [number, number, number, number];
    const at = (n: number, y: number, x: number, c: number) => data[((n * height + y) * width + x) * 3 + c];
    for (const [y, x, c] of [
      [0, 0, 0],
      [height - 1, 2, 1],
      [3, width - 1, 2],
    ] as const) {
      assert.is(at(1, y, x, c), planar.data[(c * height + y) * width + x]);
    }
  }
});

test('a synthetic image of the right size passes unchanged', () => {
  const steps = parseImagePreprocessing('x', { size: 4, crop_size: 4, do_normalize: false });
  const data = Uint8Array.from({ length: 48 }, (_, i) => i * 5);
  const image = { width: 4, height: 4, data };
  assert.is(fitImage(image, steps), image);
  assert.equal(
    preprocessImages([image], steps).data,
    Float32Array.from(data, (value) => Math.fround(value / 255)),
  );
});

test('the nearest pixel is Pillow’s where two are as near, whose sums of steps round', () => {
  const row = { width: 20, height: 1, data: Uint8Array.from({ length: 60 }, (_, i) => Math.floor(i / 3)) };
  const places = [...pilResize(row, 18, 1, 0).data].filter((_, i) => i % 3 === 0);
  assert.equal(places, [0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 18, 19]);
});

test('what a config leaves out, says as a number or as null means what it does to each processor of transformers', () => {
  const steps = (kind: string, config: object) =>
    parseImagePreprocessing('p', { image_processor_type: kind, ...config });
  const square = { height: 224, width: 224 };
  assert.equal(steps('CLIPImageProcessor', {}).resize, { shortestEdge: 224 });
  assert.equal(steps('SiglipImageProcessor', {}).resize, square);
  assert.equal(steps('ViTImageProcessor', {}).resize, square);
  assert.equal(steps('SiglipImageProcessor', { size: 20 }).resize, { shortestEdge: 20 });
  assert.equal(steps('ViTImageProcessor', { size: 20 }).resize, { height: 20, width: 20 });
  assert.equal(steps('ViTImageProcessor', { size: 20, default_to_square: false }).resize, { shortestEdge: 20 });
  const off = steps('CLIPImageProcessor', {
    do_normalize: null,
    do_center_crop: null,
    do_resize: null,
    do_rescale: null,
  });
  assert.equal(off, { resample: 3, rescale: 1 });
});

test('bad images and configs are one clear line', async () => {
  assert.match(await refusal(() => decodeImage('/nowhere/x.png')), /image: \/nowhere\/x.png does not exist/);
  assert.match(await refusal(() => decodeImage(Buffer.from('hello'), 'x.png')), /image x.png: cannot be decoded/);
  const png = readFileSync(`${testdata}rgb.golden.png`);
  assert.match(await refusal(() => decodeImage(png.subarray(0, 1500), 'cut.png')), /image cut.png: cannot be decoded/);
  assert.match(
    await refusal(() => decodeImage(png.subarray(0, png.length - 12), 'cut.png')),
    /image cut.png: cannot be decoded: it ends after \d+ bytes without its end mark/,
  );
  assert.match(await refusal(() => decodeImage(png.subarray(0, png.length - 1), 'cut.png')), /without its end mark/);
  const flipped = Buffer.from(png);
  flipped[flipped.indexOf('IDAT') + 40]! ^= 1;
  assert.match(await refusal(() => decodeImage(flipped, 'flipped.png')), /part IDAT at \d+ has another CRC/);
  const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="20000" height="20000"/>');
  assert.match(await refusal(() => decodeImage(svg, 'huge')), /cannot be decoded: .*expected at most 100000000 pixels/);
  assert.match(
    await refusal(() => decodeImage(Buffer.from('BM\0\0\0\0'), 'x.bmp')),
    /image x.bmp: expected PNG, JPEG.* found BMP: convert it to PNG/,
  );
  const tiff = Buffer.from(
    await sharp({ create: { width: 2, height: 2, channels: 3, background: 'red' } })
      .toColourspace('scrgb')
      .tiff({ compression: 'none' })
      .toBuffer(),
  );
  assert.match(
    await refusal(() => decodeImage(tiff, 'x.tif')),
    /image x.tif: not supported: expected 8 or 16 bits.*float/,
  );
  assert.match(await refusal(() => loadImagePreprocessing(testdata)), /preprocessor_config.json does not exist/);
  const cases: [object, RegExp][] = [
    [{ size: { shortest_edge: -1 } }, /size.shortest_edge: expected an integer from 1 to 8192, found -1/],
    [{ size: { height: 3 } }, /size.width: .*found nothing/],
    [{ crop_size: 1e9 }, /crop_size: expected an integer/],
    [{ image_std: [1, 0, 1] }, /image_std: expected three positive numbers, found \[1,0,1\]/],
    [{ resample: 9 }, /resample: expected a number from 0 to 5/],
    [{ do_resize: 'yes' }, /do_resize: expected true or false/],
    [{ size: { shortest_edge: 18, longest_edge: 20 } }, /size\.longest_edge: expected none, which alone/],
    [{ do_pad: true, pad_size: { height: 30, width: 30 } }, /do_pad: expected false, which alone/],
  ];
  for (const [config, expected] of cases)
    assert.match(await refusal(() => parseImagePreprocessing('p', config)), expected);
  const steps = parseImagePreprocessing('p', {});
  const thin = { width: 1, height: 5000, data: new Uint8Array(15000) };
  assert.match(await refusal(() => fitImage(thin, steps)), /would become 224 x 1120000/);
  assert.match(
    await refusal(() => fitImage({ width: 2, height: 2, data: new Uint8Array(3) }, steps)),
    /needs 12 bytes, found 3/,
  );
});

/** Files of every kind that is decoded, of pixels that pack badly and of one colour. */
async function images(): Promise<[name: string, bytes: Buffer][]> {
  const raw = { width: 21, height: 17, channels: 3 } as const;
  const noise = Buffer.from(Array.from({ length: 21 * 17 * 3 }, (_, i) => (i * 7919) % 251));
  const made = [];
  for (const [kind, pixels] of [
    ['noise', noise],
    ['plain', Buffer.alloc(noise.length, 120)],
  ] as const) {
    const from = () => sharp(pixels, { raw });
    const files = {
      png: from().png(),
      'interlaced png': from().png({ progressive: true }),
      jpeg: from().jpeg(),
      'progressive jpeg': from().jpeg({ progressive: true }),
      webp: from().webp(),
      'lossless webp': from().webp({ lossless: true }),
      gif: from().gif(),
      tiff: from().tiff({ compression: 'none' }),
      'lzw tiff': from().tiff({ compression: 'lzw' }),
    };
    for (const [name, image] of Object.entries(files))
      made.push([`${kind} ${name}`, await image.toBuffer()] as [string, Buffer]);
  }
  return made;
}

test('an image that lacks its last bytes, however few, is refused in one line', async () => {
  for (const [name, bytes] of await images()) {
    await decodeImage(bytes, name);
    const half = Math.floor(bytes.length / 2);
    for (const cut of [1, 2, 3, 4, 5, 7, 8, 11, 12, 13, 16, 31, 32, 64, 100, half]) {
      if (cut >= bytes.length) continue;
      assert.match(
        await refusal(() => decodeImage(bytes.subarray(0, bytes.length - cut), name)),
        /cannot be decoded: /,
        `${name} - ${cut}`,
      );
    }
  }
  const [, gif] = (await images()).find(([name]) => name === 'noise gif')!;
  assert.is(
    await refusal(() => decodeImage(gif.subarray(0, -1), 'x.gif')),
    `image x.gif: cannot be decoded: it ends after ${gif.length - 1} bytes without its end mark: fetch the file again.`,
  );
  // What follows the end mark is none of the image's.
  await decodeImage(Buffer.concat([gif, Buffer.from('more')]));
});

test.run();
