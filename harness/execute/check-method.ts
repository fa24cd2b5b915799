/** @file What is wrong with a method at a site, found before anything is computed. */
import type { TrainingOptions } from '../contract/sae.ts';
import type { Site } from '../contract/subject.ts';
import { hyperparametersOf, widthOf } from '../options.ts';
import type { Registry } from '../registry.ts';
import type { ResolvedMethod } from '../suite/resolved.ts';
import { checkShape, resolveTraining } from '../train/options.ts';
import { checkCheckpoint } from './checkpoint.ts';

/**
 * Checks what a method's options ask for at a site: sizes, options that contradict one another, a checkpoint's files.
 *
 * @param training The subject's training options, over which the method's own win.
 * @throws UserError for the first thing that fitting would stumble over.
 */
export async function checkMethod(
  method: ResolvedMethod,
  training: object,
  site: Site,
  registry: Registry,
): Promise<void> {
  const definition = await registry.method(method.id);
  if (definition.kind === 'checkpoint') return checkCheckpoint(method, site);
  if (definition.kind === 'baseline') return definition.validate?.({ d_in: site.d }, method.options);
  const shape = { d_in: site.d, d_sae: widthOf(method.options, site.d), d_out: site.d };
  const hp = hyperparametersOf(method.options);
  checkShape(definition, shape, hp);
  resolveTraining(definition, shape, hp, { ...training, ...method.training } as Partial<TrainingOptions>);
}
