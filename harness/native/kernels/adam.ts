/**
 * @file The optimiser's kernel, SaxAdam: one step of any number of parameters. Inputs, a list: param, m, v, grad, of one shape,
 * for one parameter after another. Attributes: learningRate, beta1, beta2, epsilon, step (from 1), clipNorm (0: none), and by
 * parameter weightDecay (decoupled) and unitRows (rows that stay at length 1: their gradient is tangent). Outputs: new param, m
 * and v, one parameter after another, in the old ones' memory where only they use it. Without clipping a gradient that is still
 * unmade (sparse-sums.ts) is made as it is used up.
 */
import type { AdamAttributes } from '../../num/kernels/declining.ts';
import type { Addon, Values } from '../addon.ts';
import { type Args, type Context, outputOver, override } from '../registry.ts';
import { SparseSums } from './sparse-sums.ts';

const none = new Float32Array(0);
/** Of a parameter's inputs, those that a step changes come first. */
const MOVING = 3;
const PART = MOVING + 1;

/** PyTorch's clip_grad_norm_ in float32: min(1, clip / (norm + 1e-6)), the norm that of all gradients together. */
function clipScale(addon: Addon, clipNorm: number, parts: { grad: Values; width: number; rows: Values }[]): Values {
  let total = 0;
  const square = new Float32Array(1);
  for (const { grad, width, rows } of parts) {
    addon.params[0] = width;
    addon.gradSquares(square, grad, rows);
    total = Math.fround(total + square[0]!);
  }
  const norm = Math.fround(Math.fround(Math.sqrt(total)) + Math.fround(1e-6));
  return Float32Array.of(Math.min(1, Math.fround(clipNorm) / norm));
}

/** Registers the kernel. */
export function registerAdam(context: Context): void {
  const { addon } = context;
  override(context, 'SaxAdam', ({ inputs, attrs, backend }: Args) => {
    const a = attrs as unknown as AdamAttributes;
    const list = Object.values(inputs);
    const parts = a.unitRows.map((onSphere, i) => {
      const old = list.slice(PART * i, PART * i + MOVING);
      const grad = list[PART * i + MOVING]!;
      return {
        old,
        values: old.map((info) => backend.valuesOf(info)),
        grad,
        onSphere,
        width: old[0]!.shape.at(-1) ?? 1,
      };
    });
    const clipped = () =>
      parts.map(({ values, grad, onSphere, width }) => ({
        grad: backend.valuesOf(grad),
        width,
        rows: onSphere ? values[0]! : none,
      }));
    const scale = a.clipNorm > 0 ? clipScale(addon, a.clipNorm, clipped()) : Float32Array.of(1);
    return parts.flatMap(({ old, values, grad, onSphere, width }, i) => {
      const next = old.map((info) => outputOver(backend, info));
      const moving = [...next.map((each) => each.values), ...values];
      const unmade = backend.unmadeOf(grad);
      // A parameter that the loss reads in another shape has other rows than its gradient's sums.
      const sums = unmade instanceof SparseSums && (!onSphere || unmade.rowWidth === width) ? unmade : undefined;
      const read = sums ? sums.arrays : [backend.valuesOf(grad)];
      addon.params.set([
        ...[a.learningRate, a.beta1, a.beta2, a.epsilon, a.weightDecay[i]!],
        ...[1 - a.beta1 ** a.step, 1 - a.beta2 ** a.step, onSphere ? 1 : 0],
        ...(sums ? [sums.columns ? 1 : 0, ...sums.sizes] : [width]),
      ]);
      if (sums) addon.adamSumsStep(...moving, scale, ...read);
      else addon.adamStep(...moving, read[0]!, scale);
      return next.map(({ info }) => info);
    });
  });
}
