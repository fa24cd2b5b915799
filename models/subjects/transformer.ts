/** @file The one transformer: a stack of blocks, configured by family, with hooks at every site. */
import {
  type LinearAddition,
  type LinearLayer,
  type NamedTensors,
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  tf,
  UserError,
} from '../../harness/contract.ts';
import {
  activation,
  type BlockShape,
  canFuse,
  type KeyValueCache,
  packBlock,
  type RotaryTables,
  rmsNorm,
  servesBlock,
  transformerBlock,
} from '../../harness/kit/index.ts';
import { requireLayers } from './additions.ts';
import { attend } from './attention.ts';
import { linear, normalise } from './layers.ts';
import { type Hooks, INNER_SITES } from './sites.ts';
import type { StackSpec } from './stack-spec.ts';
import type { FileLayout, StoredLinear } from './weights.ts';

/** One pass through the stack. */
export interface StackPass {
  /** Rows of the batch and columns of the input. */
  n: number;
  t: number;
  /** `''`, `vision.` or `text.`: what the names of sites begin with. */
  sitePrefix: string;
  hooks: Hooks;
  /** Tables for the columns of the input; with rotary positions only. */
  rotary?: RotaryTables;
  /** bool [n, columns]: the columns that a row may look at; all when omitted. */
  seen?: Tensor2D;
  /** The same of layers with a window, where theirs are others; columns out of the window are not seen in a step of generation. */
  local?: { rotary?: RotaryTables; seen?: Tensor2D };
  /** Keys and values of earlier columns, one cache a layer; those of this pass are added. */
  caches?: readonly KeyValueCache[];
  /** The first block that runs: x is its input. Default 0. */
  from?: number;
  /** Of the last block's output only the first column of each row is wanted: [n, d]. */
  firstColumn?: boolean;
}

export interface StackResult {
  /** Residual stream after the last block [n·t, d] ([n, d] with `firstColumn`); absent when the hooks had all they wanted before. */
  x?: Tensor2D;
  captured: Record<string, Tensor3D>;
}

/** Runs x [n·t, d] through all blocks, or until the hooks are satisfied. Call inside `tf.tidy`. */
export function runStack(params: NamedTensors, spec: StackSpec, x: Tensor2D, pass: StackPass): StackResult {
  requireLayers(spec, pass.hooks.additions, pass.from ?? 0);
  const captured: Record<string, Tensor3D> = {};
  let stream = x;
  for (let layer = pass.from ?? 0; layer < spec.layers; layer++) {
    if (pass.hooks.finished()) return { captured };
    // A tidy for each block bounds the memory of a pass; tensors that gradients need survive it.
    const step = tf.tidy(() => {
      const x = runBlock(params, spec, layer, stream, pass);
      return { x, captured: pass.hooks.take() };
    });
    Object.assign(captured, step.captured);
    if (!step.x) return { captured };
    stream = step.x;
  }
  return { x: stream, captured };
}

/** One block; nothing once the hooks have all they wanted. */
function runBlock(
  params: NamedTensors,
  spec: StackSpec,
  layer: number,
  input: Tensor2D,
  pass: StackPass,
): Tensor2D | undefined {
  const { hooks, n, t } = pass;
  const { names } = spec;
  const prefix = spec.blockPrefix(layer);
  const site = `${pass.sitePrefix}blocks.${layer}.`;
  const additions = hooks.additions.filter(({ block }) => block === layer);
  const project = (which: LinearLayer, value: Tensor2D) => {
    const output = linear(params, prefix + names[which]!, value);
    return additions.reduce((sum, added) => (added.layer === which ? withAddition(sum, added, value) : sum), output);
  };
  /** Nothing happens where the family has no such norm, or no such factors. */
  const normed = (name: string | undefined, value: Tensor2D) =>
    name === undefined ? value : normaliseBy(spec, params, prefix + name, value);
  const scaled = (name: string | undefined, value: Tensor2D) =>
    name === undefined ? value : tf.mul<Tensor2D>(value, params[prefix + name]!);
  const after = spec.normPlace === 'after';
  const normBefore = (name: string | undefined, value: Tensor2D) => (after ? value : normed(name, value));
  const normAfter = (name: string | undefined, value: Tensor2D) => (after ? normed(name, value) : value);
  const local = spec.window?.in(layer) ? spec.window : undefined;
  const rotary = (local && pass.local?.rotary) ?? pass.rotary;
  const seen = (local && pass.local?.seen) ?? pass.seen;
  // In a step of generation columns are not positions, and `seen` knows the window.
  const window = t > 1 && local && local.size < t ? local.size : undefined;

  let x = hooks.visit(`${site}hook_resid_pre`, input);
  if (hooks.finished()) return undefined;

  const whole = params[`${prefix}${PACKED}`] as Tensor1D | undefined;
  const last = pass.firstColumn === true && layer === spec.layers - 1;
  const unseen = !Object.values(INNER_SITES).some((hook) => hooks.wants(site + hook));
  const wholeHeads = !rotary || 2 * rotary.cos.shape[1] === spec.headDim;
  if (whole && unseen && additions.length === 0 && wholeHeads && canFuse(pass)) {
    const firstColumn = last && !hooks.wants(`${site}hook_resid_post`);
    const cache = pass.caches?.[layer];
    const y = transformerBlock(x, whole, fusedShape(spec), {
      n,
      t,
      rotary,
      seen,
      cache,
      firstColumn,
      ...(window !== undefined && { window }),
    });
    const shown = hooks.visit(`${site}hook_resid_post`, y);
    return last && !firstColumn ? firstColumns(shown, n) : shown;
  }

  const a = normBefore(names.attentionNorm, x);
  // Other columns matter to the first one by their keys and values alone.
  const alone = last && unseen && additions.length === 0 && !hooks.wants(`${site}hook_resid_post`);
  const asking = alone ? firstColumns(a, n) : a;
  if (alone) x = firstColumns(x, n);
  const q = normed(names.qNorm, project('q', asking));
  const k = normed(names.kNorm, project('k', a));
  const z = attend(q, k, project('v', a), spec, {
    n,
    t: alone ? 1 : t,
    causal: spec.causal,
    rotary,
    seen,
    cache: pass.caches?.[layer],
    scale: spec.scale,
    cap: spec.scoreCap,
    window,
  });
  const mixed = hooks.visit(site + INNER_SITES.z, z);
  if (hooks.finished()) return undefined;
  const attended = normed(names.attentionPostNorm, scaled(names.attentionScale, project('out', mixed)));
  const read = x;
  x = normAfter(names.attentionNorm, tf.add(x, hooks.visit(site + INNER_SITES.attention, attended)));
  if (!spec.parallel) x = hooks.visit(site + INNER_SITES.middle, x);
  if (hooks.finished()) return undefined;

  const unnormed = spec.parallel ? read : x;
  const normalized = site + INNER_SITES.normalized;
  const normedInput = hooks.wants(normalized)
    ? normaliseInSteps(spec, params, prefix + names.mlpNorm!, unnormed, (bare) => hooks.visit(normalized, bare))
    : normBefore(names.mlpNorm, unnormed);
  const m = hooks.visit(site + INNER_SITES.mlpIn, normedInput);
  if (hooks.finished()) return undefined;
  const hidden = spec.gated
    ? activation(project('gate', m), spec.activation, project('up', m))
    : activation(project('up', m), spec.activation);
  const fed = normed(names.mlpPostNorm, scaled(names.mlpScale, project('down', hidden)));
  x = normAfter(names.mlpNorm, tf.add(x, hooks.visit(site + INNER_SITES.mlp, fed)));
  x = hooks.visit(`${site}hook_resid_post`, x);
  return last && !alone ? firstColumns(x, n) : x;
}

/** An output with what is added to it. */
function withAddition(output: Tensor2D, { block, layer, apply }: LinearAddition, x: Tensor2D): Tensor2D {
  const added = apply(x);
  if (added.shape.join() === output.shape.join()) return tf.add(output, added);
  throw new Error(`addition to ${layer} of block ${block}: expected [${output.shape}], found [${added.shape}]`);
}

/** A norm of the stack's kind. */
export function normaliseBy(spec: StackSpec, params: NamedTensors, name: string, x: Tensor2D): Tensor2D {
  return normalise(params, name, x, spec.norm, spec.epsilon, spec.gainOffset ? 1 : 0);
}

/** An RMSNorm of the stack's kind, the same numbers, seen before its gain. */
function normaliseInSteps(
  { epsilon, gainOffset }: StackSpec,
  params: NamedTensors,
  name: string,
  x: Tensor2D,
  see: (bare: Tensor2D) => Tensor2D,
): Tensor2D {
  const gain = params[`${name}.weight`] as Tensor1D;
  const bare = see(rmsNorm(x, tf.onesLike(gain), epsilon));
  return tf.mul(bare, gainOffset ? tf.add(gain, 1) : gain);
}

/** Name of a block's weights in the form of the fused operation, after the block's own prefix. */
const PACKED = 'packed';

/**
 * Adds the blocks' weights in the form of the fused operation, where the backend has one that serves them; the linear
 * layers must have been transposed (`readyLinears` with `fusedLinears`).
 */
export function packBlocks(params: NamedTensors, spec: StackSpec): NamedTensors {
  const { attentionNorm, mlpNorm } = spec.names;
  if (!attentionNorm || !mlpNorm || !fuses(spec)) return params;
  const shape = fusedShape(spec);
  const { q, k, v, out, gate, up, down } = spec.names;
  const packed: NamedTensors = {};
  for (let layer = 0; layer < spec.layers; layer++) {
    const prefix = spec.blockPrefix(layer);
    const whole = tf.tidy(() => {
      const part = (name: string, weight: string) => ({
        weight: params[`${prefix}${name}.${weight}`] as Tensor2D,
        bias: params[`${prefix}${name}.bias`],
      });
      const linear = (name: string) => part(name, 'weightT');
      const ofAttention = (name: string) => {
        const { weight, bias } = linear(name);
        return { weight, bias: bias ?? (shape.bias.attention ? tf.zeros([weight.shape[1]]) : undefined) };
      };
      // The operation divides scores by √headDim.
      const factor = spec.scale === undefined ? 1 : spec.scale * Math.sqrt(spec.headDim);
      const query = ofAttention(q);
      const scaled = () => ({
        weight: tf.mul<Tensor2D>(query.weight, factor),
        bias: query.bias && tf.mul(query.bias, factor),
      });
      return packBlock(shape, {
        attentionNorm: part(attentionNorm, 'weight'),
        mlpNorm: part(mlpNorm, 'weight'),
        layers: {
          ...{ q: factor === 1 ? query : scaled() },
          ...{ k: ofAttention(k), v: ofAttention(v), out: ofAttention(out) },
          ...(gate ? { gate: linear(gate) } : {}),
          ...{ up: linear(up), down: linear(down) },
        },
      });
    });
    if (whole) packed[prefix + PACKED] = whole;
  }
  return { ...params, ...packed };
}

/** Whether the fused operation serves a stack's blocks. */
const fuses = (spec: StackSpec) =>
  Boolean(spec.names.attentionNorm && spec.names.mlpNorm) && isPlain(spec) && servesBlock(fusedShape(spec));

/** A block as the fused operation is told of it: it knows all biases of the attention or none. */
function fusedShape(spec: StackSpec): BlockShape {
  const { attention, mlp, out = attention } = spec.bias;
  return attention === out ? spec : { ...spec, bias: { attention: attention || out, mlp } };
}

/** Whether a block is what the fused operation computes: a norm before each of its two layers, and nothing else on the way. */
function isPlain(spec: StackSpec): boolean {
  const { qNorm, attentionPostNorm, mlpPostNorm, attentionScale, mlpScale } = spec.names;
  const onTheWay = qNorm ?? attentionPostNorm ?? mlpPostNorm ?? attentionScale ?? mlpScale ?? spec.scoreCap;
  // The operation knows all biases of the attention or none; a missing one of its output is zeros.
  const outAlone = spec.bias.out === true && !spec.bias.attention;
  return onTheWay === undefined && !outAlone && !spec.parallel && !spec.gainOffset && spec.normPlace !== 'after';
}

/** The first column of each of n rows: x [n·t, d] → [n, d]. */
export function firstColumns(x: Tensor2D, n: number): Tensor2D {
  const width = x.shape[1];
  return tf.slice(tf.reshape(x, [n, x.size / n]), [0, 0], [n, width]) as Tensor2D;
}

/**
 * The block whose input the residual stream at `site` is.
 *
 * @throws UserError for a site that is none of the residual stream of this stack.
 */
export function blockAfter(site: string, sitePrefix: string, layers: number): number {
  const [, layer, place] = /^blocks\.(\d+)\.hook_resid_(pre|post)$/.exec(site.slice(sitePrefix.length)) ?? [];
  const block = Number(layer) + (place === 'post' ? 1 : 0);
  if (site.startsWith(sitePrefix) && Number(layer) < layers) return block;
  throw new UserError(
    `site ${site}: expected one of the residual stream, ${sitePrefix}blocks.<layer>.hook_resid_pre or _post.`,
  );
}

/** Names and shapes of a norm's parameters; none where the family has no such norm. */
export function normShapes(name: string | undefined, { d, bias }: StackSpec, width = d): Record<string, number[]> {
  if (name === undefined) return {};
  return { [`${name}.weight`]: [width], ...(bias.norm ? { [`${name}.bias`]: [width] } : {}) };
}

/** Names and shapes of a stack's parameters. */
export function stackShapes(spec: StackSpec): Record<string, number[]> {
  const shapes: Record<string, number[]> = {};
  const { d, mlp, heads, kvHeads, headDim, names, bias, gated } = spec;
  const add = (name: string, shape: [number, number], withBias: boolean) => {
    shapes[`${name}.weight`] = shape;
    if (withBias) shapes[`${name}.bias`] = [shape[0]];
  };
  const byHead = spec.queryKeyNorm === 'head';
  for (let layer = 0; layer < spec.layers; layer++) {
    const prefix = spec.blockPrefix(layer);
    const addNorm = (name: string | undefined, width: number) =>
      Object.assign(shapes, normShapes(name && prefix + name, spec, width));
    addNorm(names.attentionNorm, d);
    add(prefix + names.q, [heads * headDim, d], bias.attention);
    add(prefix + names.k, [kvHeads * headDim, d], bias.attention);
    add(prefix + names.v, [kvHeads * headDim, d], bias.attention);
    add(prefix + names.out, [d, heads * headDim], bias.out ?? bias.attention);
    addNorm(names.qNorm, byHead ? headDim : heads * headDim);
    addNorm(names.kNorm, byHead ? headDim : kvHeads * headDim);
    addNorm(names.attentionPostNorm, d);
    addNorm(names.mlpNorm, d);
    addNorm(names.mlpPostNorm, d);
    for (const scale of [names.attentionScale, names.mlpScale]) if (scale) shapes[prefix + scale] = [d];
    if (gated) add(prefix + names.gate!, [mlp, d], bias.mlp);
    add(prefix + names.up, [mlp, d], bias.mlp);
    add(prefix + names.down, [d, mlp], bias.mlp);
  }
  return shapes;
}

/** Names of a stack's linear layers, without `.weight`. */
export function linearNames(spec: StackSpec): string[] {
  const { q, k, v, out, gate, up, down } = spec.names;
  const inner = [q, k, v, out, ...(gate ? [gate] : []), up, down];
  return Array.from({ length: spec.layers }, (_, layer) => inner.map((name) => spec.blockPrefix(layer) + name)).flat();
}

/** Those of them that `packBlocks` reads: all or none. */
export const fusedLinears = (spec: StackSpec): string[] => (fuses(spec) ? linearNames(spec) : []);

/** How files hold a stack's linear layers, by their whole names there. */
function storedLinears({ layers, blockPrefix, stored = {} }: StackSpec): Record<string, StoredLinear> {
  const blocks = Array.from({ length: layers }, (_, layer) => blockPrefix(layer));
  const whole = (prefix: string, { split, ...how }: StoredLinear): StoredLinear => {
    return split ? { ...how, split: split.map((part) => prefix + part) } : how;
  };
  const entries = blocks.flatMap((prefix) =>
    Object.entries(stored).map(([name, how]) => [prefix + name, whole(prefix, how)] as const),
  );
  return Object.fromEntries(entries);
}

/** How files hold a model: what its family says of that, and what its stacks say of their layers. */
export function fileLayout(files: FileLayout | undefined, ...stacks: StackSpec[]): FileLayout {
  return { ...files, linears: Object.assign({}, files?.linears, ...stacks.map(storedLinears)) };
}
