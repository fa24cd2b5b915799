/**
 * @file Pillow's image resampling, bit for bit: separable filters with antialiasing, 8-bit fixed-point arithmetic.
 * CLIP's published numbers depend on it; other libraries' cubic filters differ by several grey levels.
 */

/** Row-major 8-bit RGB, `data[(y * width + x) * 3 + channel]`. */
export interface RgbImage {
  width: number;
  height: number;
  data: Uint8Array;
}

/** A resampling filter by Pillow's number. */
export type Resample = 0 | 1 | 2 | 3 | 4 | 5;

interface Filter {
  support: number;
  weight(x: number): number;
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI);
}

/** The filters of Pillow's `Resample.c`: Lanczos, bilinear, bicubic (a = -0.5), box, Hamming. */
const FILTERS: Readonly<Record<Exclude<Resample, 0>, Filter>> = {
  1: { support: 3, weight: (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0) },
  2: { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  3: {
    support: 2,
    weight(value) {
      const x = Math.abs(value);
      if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
      return x < 2 ? ((x - 5) * x + 8) * x * -0.5 + 2 : 0;
    },
  },
  4: { support: 0.5, weight: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) },
  5: {
    support: 1,
    weight(value) {
      const x = Math.abs(value);
      return x >= 1 ? 0 : sinc(x) * (0.54 + 0.46 * Math.cos(x * Math.PI));
    },
  },
};

/** Fraction bits of a weight: 32 - 8 bits of a pixel - 2 bits for overshoot. */
const PRECISION = 22;

interface Weights {
  first: Int32Array;
  count: Int32Array;
  /** `width` weights for each output position. */
  values: Int32Array;
  width: number;
}

/** For each output position: where its source pixels begin, how many there are, their fixed-point weights. */
function weightsOf(inSize: number, outSize: number, filter: Filter): Weights {
  const scale = inSize / outSize;
  const filterScale = Math.max(scale, 1);
  const support = filter.support * filterScale;
  const width = Math.ceil(support) * 2 + 1;
  const result: Weights = {
    first: new Int32Array(outSize),
    count: new Int32Array(outSize),
    values: new Int32Array(outSize * width),
    width,
  };
  const raw = new Float64Array(width);
  const inverse = 1 / filterScale;
  for (let out = 0; out < outSize; out++) {
    const centre = (out + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - support + 0.5));
    const count = Math.min(inSize, Math.trunc(centre + support + 0.5)) - first;
    let total = 0;
    for (let i = 0; i < count; i++) {
      raw[i] = filter.weight((i + first - centre + 0.5) * inverse);
      total += raw[i]!;
    }
    result.first[out] = first;
    result.count[out] = count;
    for (let i = 0; i < count; i++) {
      const exact = (total === 0 ? raw[i]! : raw[i]! / total) * (1 << PRECISION);
      result.values[out * width + i] = Math.trunc(exact < 0 ? exact - 0.5 : exact + 0.5);
    }
  }
  return result;
}

/**
 * One pass along one axis: every output pixel is the weighted sum of its source pixels on that axis, rounded to 8 bits.
 */
function pass(image: RgbImage, outSize: number, alongX: boolean, filter: Filter): RgbImage {
  const { width, height, data } = image;
  const { first, count, values, width: taps } = weightsOf(alongX ? width : height, outSize, filter);
  const outWidth = alongX ? outSize : width;
  const outHeight = alongX ? height : outSize;
  const out = new Uint8ClampedArray(outWidth * outHeight * 3);
  const step = alongX ? 3 : width * 3;
  const half = 1 << (PRECISION - 1);
  let to = 0;
  for (let y = 0; y < outHeight; y++) {
    for (let x = 0; x < outWidth; x++) {
      const at = alongX ? x : y;
      let source = (alongX ? y * width + first[at]! : first[at]! * width + x) * 3;
      let [red, green, blue] = [half, half, half];
      for (let i = at * taps, end = i + count[at]!; i < end; i++, source += step) {
        const weight = values[i]!;
        red += data[source]! * weight;
        green += data[source + 1]! * weight;
        blue += data[source + 2]! * weight;
      }
      out[to++] = red >> PRECISION;
      out[to++] = green >> PRECISION;
      out[to++] = blue >> PRECISION;
    }
  }
  return { width: outWidth, height: outHeight, data: new Uint8Array(out.buffer) };
}

/** The source of each place along one axis. Pillow adds up steps, whose rounding decides where two are as near. */
function nearestPlaces(inSize: number, outSize: number): Int32Array {
  const places = new Int32Array(outSize);
  const step = inSize / outSize;
  let at = step * 0.5;
  for (let out = 0; out < outSize; out++, at += step) places[out] = Math.trunc(at);
  return places;
}

function nearest(image: RgbImage, width: number, height: number): RgbImage {
  const data = new Uint8Array(width * height * 3);
  const [columns, rows] = [nearestPlaces(image.width, width), nearestPlaces(image.height, height)];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const source = (rows[y]! * image.width + columns[x]!) * 3;
      data.set(image.data.subarray(source, source + 3), (y * width + x) * 3);
    }
  }
  return { width, height, data };
}

/**
 * Resize as Pillow's `Image.resize((width, height), resample)` does: first along x, then along y; an axis that keeps
 * its size is left alone, and so an image of the wanted size comes back unchanged.
 *
 * Source: Pillow, `src/libImaging/Resample.c` (8 bits per channel).
 */
export function pilResize(image: RgbImage, width: number, height: number, resample: Resample): RgbImage {
  if (image.width === width && image.height === height) return image;
  if (resample === 0) return nearest(image, width, height);
  const filter = FILTERS[resample];
  const wide = image.width === width ? image : pass(image, width, true, filter);
  return wide.height === height ? wide : pass(wide, height, false, filter);
}
