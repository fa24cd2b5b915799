/** @file Sizes of SAEs on a subject that a suite was not written for: by the subject's width, not by the suite's. */
import { hyperparametersOf, SIZE_OPTIONS, SPARSITY_OPTIONS, widthOf } from '../options.ts';
import type { Registry } from '../registry.ts';
import { CHECKPOINT } from '../registry.ts';
import type { Suite } from '../schema/suite.generated.ts';
import { methodName } from './load.ts';

/** Lowest and highest of it by default. */
const [LEAST, MOST] = [8, 256];

/** Active latents by default: the power of two nearest to d_in / 16, from 8 to 256 (64 at 768, 128 at 2,304). */
export const sparsityFor = (d_in: number): number =>
  Math.min(MOST, Math.max(LEAST, 2 ** Math.round(Math.log2(d_in / 16))));

/** The definition of a method whose size follows the subject: an SAE without a name of its own. */
async function sizedDefinition(method: Suite['methods'][number], registry: Registry) {
  if (method.id === CHECKPOINT.id || method.name !== undefined) return undefined;
  const definition = await registry.method(method.id);
  return definition.kind === 'sae' ? definition : undefined;
}

/**
 * The suite with the SAEs that have no name of their own sized by the subject: d_sae = 8 · d_in (the default expansion)
 * and {@link sparsityFor} active latents. A method with a name of its own keeps the suite's options.
 *
 * @param d_in Width of the narrowest site.
 */
export async function sizedBy(suite: Suite, d_in: number, registry: Registry): Promise<Suite> {
  const methods: Suite['methods'] = [];
  for (const method of suite.methods) {
    const definition = await sizedDefinition(method, registry);
    if (definition === undefined) {
      methods.push(method);
      continue;
    }
    const names = SPARSITY_OPTIONS.filter((name) => name in definition.hyperparameters);
    const sparsity = Object.fromEntries(names.map((name) => [name, sparsityFor(d_in)]));
    methods.push({ ...method, options: { ...hyperparametersOf(method.options ?? {}), ...sparsity } });
  }
  return { ...suite, methods };
}

/** A line for each method that {@link sizedBy} sizes, with what it has now: its options may have been set since. */
export async function sizeLines({ methods }: Suite, d_in: number, registry: Registry): Promise<string[]> {
  const lines: string[] = [];
  for (const method of methods) {
    if ((await sizedDefinition(method, registry)) === undefined) continue;
    const options: Record<string, unknown> = { expansion: SIZE_OPTIONS['expansion']!.default, ...method.options };
    const names = SPARSITY_OPTIONS.filter((name) => name in options);
    const width = `d_sae ${widthOf(options, d_in)}`;
    lines.push([`${methodName(method)}: ${width}`, ...names.map((name) => `${name} ${options[name]}`)].join(', '));
  }
  return lines;
}
