/**
 * @file SAE neural operator: functions on a grid as sums of concepts, each a kernel that is convolved with a sparse map.
 *
 * A row is [C, N], C channels at N points of a period. Kernels are S Fourier modes, with transforms divided by N, so that they mean
 * the same on every grid: z_p = TopK(ReLU(Σ_c conj(Ê_pc) (x̂_c − b̂_c) + b_enc,p)) over all concepts and points, and
 * x̂_c = b̂_c + Σ_p D̂_pc ẑ_p. On another grid as large a share of the points is kept. `lift` maps the channels linearly to more and
 * back (the L-SAE); rows without a shape are functions at one point, which makes both the usual dictionaries of vectors.
 *
 * State of tuning: the rate was chosen on the world of functions (937 steps of 64, 16 concepts of 12 modes: R² on held-out functions
 * .786, .850, .869, .864 at 3e-3, 8.5e-3, 3e-2, 6e-2).
 */
import {
  type Codes,
  defineSae,
  type NamedTensors,
  type Rng,
  type SaeShape,
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  tf,
  UserError,
} from '../../harness/contract.ts';
import { topkSparse } from '../../harness/kit/index.ts';
import { learningRate } from './shared/learning-rate.ts';
import { toDense } from './shared/threshold-codes.ts';
import { raiseDeadBiases, topkFamilyHyperparameters } from './shared/topk-family.ts';
import { normalisedError } from './shared/topk-family-loss.ts';
import { sampleVariance } from './shared/variance.ts';

interface Operator {
  k: number;
  modes: number;
  lift: number | null;
  deadBias: number;
}

/** The low modes of real functions [..., S]: real and imaginary parts. */
interface Spectrum {
  re: Tensor3D;
  im: Tensor3D;
}

/** Channels and points of a row. */
const gridOf = ({ input, d_in }: SaeShape): [C: number, N: number] =>
  input === undefined ? [d_in, 1] : [input[0]!, input[1]!];

/** cos and sin of 2π m s / N for the modes m that N points can carry, [N, modes] each. */
function waves(N: number, S: number): { cos: Tensor2D; sin: Tensor2D } {
  const modes = Math.min(S, Math.ceil(N / 2));
  // In float64, and never of large angles.
  const table = (wave: (angle: number) => number) =>
    tf.tensor2d(
      Float32Array.from({ length: N * modes }, (_, i) => {
        return wave((2 * Math.PI * ((Math.floor(i / modes) * (i % modes)) % N)) / N);
      }),
      [N, modes],
    );
  return { cos: table(Math.cos), sin: table(Math.sin) };
}

/** Functions [n, rows, N] → the means over the points of f e^(−2π i m s / N). */
function transform(f: Tensor3D, S: number): Spectrum {
  const [n, rows, N] = f.shape;
  const { cos, sin } = waves(N, S);
  const flat = tf.div(tf.reshape(f, [n * rows, N]), N) as Tensor2D;
  const part = (wave: Tensor2D) => tf.reshape(tf.matMul(flat, wave), [n, rows, wave.shape[1]]) as Tensor3D;
  return { re: part(cos), im: part(tf.neg(sin)) };
}

/** Every mode but the constant stands for itself and its conjugate, [modes]. */
const multiplicity = (modes: number): Tensor1D =>
  tf.tensor1d(Array.from({ length: modes }, (_, mode) => (mode === 0 ? 1 : 2)));

/** The real functions of N points that have these modes and none above, [n, rows, N]. */
function synthesise({ re, im }: Spectrum, N: number): Tensor3D {
  const [n, rows, modes] = re.shape;
  const { cos, sin } = waves(N, modes);
  const flat = (part: Tensor3D) => tf.mul(tf.reshape(part, [n * rows, modes]), multiplicity(modes)) as Tensor2D;
  const sum = tf.sub(tf.matMul(flat(re), cos, false, true), tf.matMul(flat(im), sin, false, true));
  return tf.reshape(sum, [n, rows, N]);
}

/** Σ over b of a[n, b, m] · k[a', b, m] for each mode, complex; `conjugate` takes that of k. [n, a', m]. */
function contract({ re, im }: Spectrum, kernel: Spectrum, conjugate: boolean): Spectrum {
  const modes = re.shape[2];
  const some = (part: Tensor3D) => tf.slice(part, [0, 0, 0], [-1, -1, modes]);
  const [kr, ki] = [some(kernel.re), conjugate ? tf.neg(some(kernel.im)) : some(kernel.im)];
  // Modes come first, so that each has one product of matrices.
  const first = (part: Tensor3D) => tf.transpose(part, [2, 0, 1]) as Tensor3D;
  const times = (a: Tensor3D, b: Tensor3D) => tf.matMul(first(a), first(b as Tensor3D), false, true) as Tensor3D;
  const back = (part: Tensor3D) => tf.transpose(part, [1, 2, 0]) as Tensor3D;
  return {
    re: back(tf.sub(times(re, kr), times(im, ki as Tensor3D)) as Tensor3D),
    im: back(tf.add(times(re, ki as Tensor3D), times(im, kr)) as Tensor3D),
  };
}

const spectrumOf = (params: NamedTensors, name: string): Spectrum => ({
  re: params[`${name}_re`] as Tensor3D,
  im: params[`${name}_im`] as Tensor3D,
});

/** A linear map [from, to] of the channels of a spectrum. */
function mapChannels(spectrum: Spectrum, map: Tensor2D | undefined): Spectrum {
  if (!map) return spectrum;
  const [from, to] = map.shape;
  const apply = (part: Tensor3D) => {
    const [n, , modes] = part.shape;
    const flat = tf.reshape(tf.transpose(part, [0, 2, 1]), [n * modes, from]) as Tensor2D;
    return tf.transpose(tf.reshape(tf.matMul(flat, map), [n, modes, to]), [0, 2, 1]) as Tensor3D;
  };
  return { re: apply(spectrum.re), im: apply(spectrum.im) };
}

/** The modes of b_dec that N points can carry, [1, C, modes]. */
function bias(params: NamedTensors, modes: number): Spectrum {
  const { re, im } = spectrumOf(params, 'b_dec');
  return { re: tf.slice(re, [0, 0, 0], [-1, -1, modes]), im: tf.slice(im, [0, 0, 0], [-1, -1, modes]) };
}

const channelsOf = (params: NamedTensors) => (params['b_dec_re'] as Tensor3D).shape[1];
const conceptsOf = (params: NamedTensors) => (params['b_enc'] as Tensor1D).shape[0];

/** Codes of rows on any grid; k entries on the grid of training, as large a share on others. */
function encode(params: NamedTensors, x: Tensor2D, { k, modes }: Operator, trained: number): Codes & { kind: 'topk' } {
  const [n, C, P] = [x.shape[0], channelsOf(params), conceptsOf(params)];
  const N = x.shape[1] / C;
  const found = transform(tf.reshape(x, [n, C, N]), modes);
  const shift = bias(params, found.re.shape[2]);
  const centred = { re: tf.sub(found.re, shift.re) as Tensor3D, im: tf.sub(found.im, shift.im) as Tensor3D };
  const lifted = mapChannels(centred, params['lift'] as Tensor2D | undefined);
  const maps = synthesise(contract(lifted, spectrumOf(params, 'E'), true), N);
  const pre = tf.relu(tf.add(maps, tf.reshape(params['b_enc']!, [1, P, 1])));
  const kept = Math.min(P * N, Math.max(1, Math.round((k * N) / trained)));
  return { kind: 'topk', ...topkSparse(tf.reshape(pre, [n, P * N]) as Tensor2D, kept), d_sae: P * N };
}

function decode(params: NamedTensors, codes: Codes, { modes }: Operator): Tensor2D {
  const dense = toDense(codes);
  const [n, P] = [dense.shape[0], conceptsOf(params)];
  const N = dense.shape[1] / P;
  const { re, im } = spectrumOf(params, 'D');
  const turned = (part: Tensor3D) => tf.transpose(part, [1, 0, 2]) as Tensor3D;
  const kernels = { re: turned(re), im: turned(im) };
  const made = contract(transform(tf.reshape(dense, [n, P, N]), modes), kernels, false);
  const found = mapChannels(made, params['project'] as Tensor2D | undefined);
  const shift = bias(params, found.re.shape[2]);
  const whole = { re: tf.add(found.re, shift.re) as Tensor3D, im: tf.add(found.im, shift.im) as Tensor3D };
  return tf.reshape(synthesise(whole, N), [n, channelsOf(params) * N]);
}

const gridOfTraining = (params: NamedTensors): number => params['grid']!.dataSync()[0]!;

/** Random kernels [concepts, channels, S] of which a copy at one of N points has unit length. */
function randomKernels(rng: Rng, [P, C, S]: [number, number, number], N: number): Spectrum {
  const size: [number, number, number] = [P, C, S];
  const drawn = (name: string) => tf.tensor3d(rng.fork(name).fillNormal(new Float32Array(P * C * S)), size);
  // The imaginary part of the constant would stand for nothing.
  const [re, im] = [drawn('re'), tf.mul(drawn('im'), tf.sub(multiplicity(S), 1)) as Tensor3D];
  const energy = tf.sum(tf.mul(tf.add(tf.square(re), tf.square(im)), multiplicity(S)), [1, 2], true);
  const scale = tf.sqrt(tf.div(N, energy));
  return { re: tf.mul(re, scale), im: tf.mul(im, scale) };
}

function validate(shape: SaeShape, { k, modes, lift }: Operator): void {
  const { input, d_sae } = shape;
  if (input !== undefined && input.length !== 2) {
    throw new UserError(
      `sae fno: shape.input: expected functions [C, N], found [${input.join(', ')}]; choose a site of functions, as those of the dataset functions.`,
    );
  }
  const [C, N] = gridOf(shape);
  const refuse = (option: string, expected: string, found: unknown): never => {
    throw new UserError(`sae fno: ${option}: expected ${expected}, found ${found}.`);
  };
  if (d_sae % N !== 0) refuse('d_sae', `a multiple of the ${N} points of a row, one concept for each time`, d_sae);
  const most = Math.ceil(N / 2);
  if (modes > most && input === undefined) {
    refuse(
      'modes',
      `1 at vectors of ${C} numbers, which are functions at one point; or choose a site of functions`,
      modes,
    );
  }
  if (modes > most) refuse('modes', `1 to ${most}, what ${N} points can carry`, modes);
  if (k > d_sae) refuse('k', `1 to d_sae = ${d_sae}`, k);
  if (lift !== null && lift < C) refuse('lift', `at least the ${C} channels of a row`, lift);
}

export default defineSae<Operator>({
  id: 'fno',
  title: 'SAE neural operator (Fourier), with a lift the L-SAE',
  inference: 'the k largest positive entries of all concept maps; on another grid as large a share',
  paper: 'Tolooshams, Shen & Anandkumar 2025, arXiv:2509.03738',
  version: 1,
  resolutionFree: true,
  hyperparameters: {
    k: {
      type: 'integer',
      minimum: 1,
      default: 16,
      description: 'Entries of the concept maps kept for each input, on the grid of training.',
    },
    modes: {
      type: 'integer',
      minimum: 1,
      default: 8,
      description: 'Fourier modes of a kernel, the constant among them.',
    },
    lift: {
      type: ['integer', 'null'],
      minimum: 1,
      default: null,
      description:
        'Channels that a linear map lifts rows to before encoding, another maps back after decoding; null: none.',
    },
    deadBias: {
      ...topkFamilyHyperparameters.deadBias,
      description: 'Gradient that raises the bias of concepts whose map is dead everywhere.',
    },
  },
  validate,
  training: (shape, _hp, run) => ({ lr: learningRate(3.5e-2, shape, run, 0.5), clip: 1 }),
  init(shape, { modes, lift }, { rng, sample }) {
    const [C, N] = gridOf(shape);
    const channels = lift ?? C;
    const P = shape.d_sae / N;
    const kernels = randomKernels(rng.fork('kernels'), [P, channels, modes], N);
    const mean = transform(tf.reshape(tf.mean(sample, 0), [1, C, N]), modes);
    const params: NamedTensors = {
      E_re: tf.clone(kernels.re),
      E_im: tf.clone(kernels.im),
      D_re: kernels.re,
      D_im: kernels.im,
      b_enc: tf.zeros([P]),
      b_dec_re: mean.re,
      b_dec_im: mean.im,
    };
    if (lift !== null) {
      const drawn = rng.fork('lift').fillNormal(new Float32Array(C * lift), 0, 1 / Math.sqrt(lift));
      params['lift'] = tf.tensor2d(drawn, [C, lift]);
      params['project'] = tf.transpose(params['lift'] as Tensor2D);
    }
    return { params, buffers: { variance: sampleVariance(sample), grid: tf.scalar(N) } };
  },
  encode: (params, x, hp) => encode(params, x, hp, gridOfTraining(params)),
  decode,
  loss(params, { x, target }, state, hp) {
    const codes = encode(params, x, hp, gridOfTraining(state.buffers));
    const reconstruction = decode(params, codes, hp);
    const nmse = normalisedError(target, reconstruction, state);
    return { total: nmse, parts: { nmse }, codes, reconstruction };
  },
  targetL0: (hp) => hp.k,
  beforeStep(grads, params, state, hp) {
    const P = conceptsOf(params);
    const dead = tf.min(tf.reshape(state.dead, [P, -1]), 1) as Tensor1D;
    return raiseDeadBiases(grads, params, { ...state, dead }, hp);
  },
  toInference: (params, { buffers }) => ({ ...params, grid: buffers['grid']! }),
  foldScale: (params, scale) => ({
    ...params,
    ...Object.fromEntries(['b_enc', 'b_dec_re', 'b_dec_im'].map((name) => [name, tf.div(params[name]!, scale)])),
  }),
  directions(params, hp) {
    const width = conceptsOf(params) * gridOfTraining(params);
    const codes: Codes = { kind: 'dense', values: tf.eye(width) };
    const none: Codes = { kind: 'dense', values: tf.zeros([1, width]) };
    return tf.sub(decode(params, codes, hp), decode(params, none, hp)) as Tensor2D;
  },
  macs(shape, { modes, lift }) {
    const [C, N] = gridOf(shape);
    const [P, channels] = [shape.d_sae / N, lift ?? C];
    // Two real products a mode and a point to transform, four a mode for a complex product, two a mode for a map of channels.
    const transformed = 2 * modes * N;
    const kernels = 4 * P * channels * modes + (lift === null ? 0 : 2 * C * lift * modes);
    return { encode: (C + P) * transformed + kernels, decode: (P + C) * transformed + kernels };
  },
});
