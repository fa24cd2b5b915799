/** @file What is wrong with a method at a site, found before anything is computed. */

import { openCheckpoint } from '../checkpoints/open.ts';
import type { Site } from '../contract/data.ts';
import type { SaeShape, TrainingOptions } from '../contract/sae.ts';
import { UserError } from '../errors.ts';
import { hyperparametersOf, widthOf } from '../options.ts';
import type { Registry } from '../registry.ts';
import { checkShape, resolveTraining } from '../train/options.ts';
import { readOwnState } from '../train/own-layout.ts';
import type { ResolvedMethod } from './resolved.ts';

/**
 * Finds what is wrong with a checkpoint before anything is computed.
 *
 * @throws UserError for a width other than the site's, missing tensors, shapes other than cfg.json says, NaN weights.
 */
async function checkCheckpoint(
  { name, checkpoint, checkpointForm }: ResolvedMethod,
  site: Site,
  target: Site | undefined,
): Promise<void> {
  const found = await openCheckpoint(checkpoint!, checkpointForm);
  if (found.own) await readOwnState(found.folder);
  else await found.read();
  const { d_in, d_out } = found.facts;
  if (target && d_out !== target.d) {
    throw new UserError(
      `method ${name}: ${checkpoint}: d_out: expected ${target.d}, the width of ${target.name}; found ${d_out}: ` +
        'it belongs to another site or another model.',
    );
  }
  if (d_in === site.d) return;
  throw new UserError(
    `method ${name}: ${checkpoint}: d_in: expected ${site.d}, the width of ${site.name}; found ${d_in}: ` +
      'it belongs to another site or another model.',
  );
}

/** The site that a method reconstructs. @throws UserError unless it is another with the same rows as the one it reads. */
function checkTargetSite(method: string, site: Site, target: Site): Site {
  const fail = (expected: string) => {
    throw new UserError(`method ${method}: target: expected ${expected}; found ${target.name}.`);
  };
  if (target.name === site.name) fail(`another site than ${site.name}, which it reads`);
  if (target.modality !== site.modality || target.kind !== site.kind) {
    const rows = site.kind === 'tokens' ? 'one row a position' : 'one row an item';
    fail(`a site with the rows of ${site.name} (${site.modality}, ${rows})`);
  }
  return target;
}

/** @throws UserError where a site has no rows that follow one another, as tokens of a text do. */
function checkOrder(id: string, { name, kind, modality }: Site): void {
  if (kind === 'tokens' && modality === 'text') return;
  const rows = modality === 'image' ? (kind === 'tokens' ? 'patches of images' : 'one row an image') : 'one row a text';
  throw new UserError(
    `no order for ${id}: expected tokens of texts, each with its predecessor; found ${rows} at ${name}.`,
  );
}

/**
 * Checks what a method's options ask for at a site: sizes, options that contradict one another, a checkpoint's files.
 *
 * @param training The subject's training options, over which the method's own win.
 * @param siteNamed The subject's site of a name: the one that a transcoder reconstructs.
 * @throws UserError for the first thing that fitting would stumble over.
 */
export async function checkMethod(
  method: ResolvedMethod,
  training: object,
  site: Site,
  registry: Registry,
  siteNamed: (name: string) => Site = () => site,
): Promise<void> {
  const definition = await registry.method(method.id);
  const { target, options, name } = method;
  const other = target === undefined ? undefined : checkTargetSite(name, site, siteNamed(target));
  if (definition.kind === 'checkpoint') return checkCheckpoint(method, site, other);
  if (definition.kind === 'baseline') return definition.validate?.({ d_in: site.d }, method.options);
  const shape: SaeShape = { d_in: site.d, d_sae: widthOf(options, site.d), d_out: other?.d ?? site.d };
  if (site.input) shape.input = [...site.input];
  const hp = hyperparametersOf(options, target);
  checkShape(definition, shape, hp);
  if (definition.data?.previous) checkOrder(definition.id, site);
  resolveTraining(definition, shape, hp, { ...training, ...method.training } as Partial<TrainingOptions>);
}
