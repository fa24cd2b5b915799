/** @file Sizes of SAEs on a subject that a suite was not written for: by the subject's width, not by the suite's. */
import { hyperparametersOf, widthOf } from '../options.ts';
import type { Registry } from '../registry.ts';
import { CHECKPOINT } from '../registry.ts';
import type { Suite } from '../schema/suite.generated.ts';
import { methodName } from './load.ts';

/** Names that variants give to the number of active latents that they aim for. */
const SPARSITY = ['k', 'targetL0'] as const;
/** Lowest and highest of it by default. */
const [LEAST, MOST] = [8, 256];

/** Active latents by default: the power of two nearest to d_in / 16, from 8 to 256 (64 at 768, 128 at 2,304). */
export const sparsityFor = (d_in: number): number =>
  Math.min(MOST, Math.max(LEAST, 2 ** Math.round(Math.log2(d_in / 16))));

/**
 * The suite with the SAEs that have no name of their own sized by the subject: d_sae = 8 · d_in (the default expansion)
 * and {@link sparsityFor} active latents. A method with a name of its own keeps the suite's options.
 *
 * @param d_in Width of the narrowest site.
 * @returns The suite, and a line for each method that was sized.
 */
export async function sizedBy(
  suite: Suite,
  d_in: number,
  registry: Registry,
): Promise<{ suite: Suite; lines: string[] }> {
  const lines: string[] = [];
  const methods: Suite['methods'] = [];
  for (const method of suite.methods) {
    const definition = method.id === CHECKPOINT.id ? undefined : await registry.method(method.id);
    if (definition?.kind !== 'sae' || method.name !== undefined) {
      methods.push(method);
      continue;
    }
    const kept = hyperparametersOf(method.options ?? {});
    const names = SPARSITY.filter((name) => name in definition.hyperparameters);
    const options = { ...kept, ...Object.fromEntries(names.map((name) => [name, sparsityFor(d_in)])) };
    const width = `d_sae ${widthOf({ expansion: 8 }, d_in)}`;
    lines.push([`${methodName(method)}: ${width}`, ...names.map((name) => `${name} ${sparsityFor(d_in)}`)].join(', '));
    methods.push({ ...method, options });
  }
  return { suite: { ...suite, methods }, lines };
}
