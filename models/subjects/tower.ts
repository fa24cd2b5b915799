/** @file What towers of images and of texts have in common: a stack of blocks, a final norm, a pooled state, a projection. */
import type { NamedTensors, Tensor2D, Tensor3D } from '../../harness/contract.ts';
import { linear } from './layers.ts';
import type { Hooks } from './sites.ts';
import type { StackSpec } from './stack-spec.ts';
import { linearNames, normShapes, runStack, type StackPass, stackShapes } from './transformer.ts';
import type { TensorShapes } from './weights.ts';

/** What every tower has. Names are those of parameters, without `.weight` and `.bias`. */
export interface TowerSpec {
  stack: StackSpec;
  /** Table of positions, which are learned [length, d]. */
  positions: string;
  finalNorm: string;
  /** Takes the pooled state to the embedding; without one that state is the embedding. */
  projection?: string;
  /** Whether the projection has a bias. */
  projectionBias?: boolean;
}

/** Names and shapes of the blocks, the final norm and the projection; `dim` is the embedding's. */
export function towerShapes({ stack, finalNorm, projection, projectionBias }: TowerSpec, dim: number): TensorShapes {
  return {
    ...stackShapes(stack),
    ...normShapes(finalNorm, stack),
    ...(projection === undefined ? {} : { [`${projection}.weight`]: [dim, stack.d] }),
    ...(projection !== undefined && projectionBias ? { [`${projection}.bias`]: [dim] } : {}),
  };
}

/** Names of the linear layers, without `.weight`. */
export const towerLinears = ({ stack, projection }: TowerSpec): string[] => [
  ...linearNames(stack),
  ...(projection === undefined ? [] : [projection]),
];

/** One pass through a tower. */
export interface TowerPass {
  site: 'vision.' | 'text.';
  tower: TowerSpec;
  pass: Omit<StackPass, 'sitePrefix' | 'hooks'>;
  /** From what `pass` gives of the last block's output to the pooled rows [n, d], by way of the final norm. */
  pool: (x: Tensor2D, hooks: Hooks) => Tensor2D;
}

/** As `ForwardResult`, in the form that `tf.tidy` takes. */
export type TowerResult = { embeds?: Tensor2D; captured: Record<string, Tensor3D> };

/** Runs x [n·t, d] through a tower. Call inside `tf.tidy`. */
export function runTower(
  params: NamedTensors,
  x: Tensor2D,
  hooks: Hooks,
  output: boolean,
  run: TowerPass,
): TowerResult {
  const { site, tower } = run;
  const { x: last, captured } = runStack(params, tower.stack, x, { ...run.pass, sitePrefix: site, hooks });
  if (!last || hooks.finished()) return { captured };
  const pooled = run.pool(last, hooks);
  const { projection } = tower;
  const project = (rows: Tensor2D) => (projection === undefined ? rows : linear(params, projection, rows));
  const embeds = hooks.finished() ? undefined : project(pooled);
  const projected = embeds && hooks.visit(`${site}embed`, embeds);
  Object.assign(captured, hooks.take());
  return output && projected ? { embeds: projected, captured } : { captured };
}
