/** @file The site of a subject that nobody named: of a model of images its embedding, else the residual stream a third of the way up. */
import type { Registry } from '../registry.ts';
import { outlinedSites, type SubjectReference } from './subjects.ts';

const RESIDUAL = /^blocks\.(\d+)\.hook_resid_post$/;
/** Where images of a dual encoder meet their captions. */
const IMAGES = 'vision.embed';

/** Undefined where the family does not tell its sites before it is loaded, or has none of these. */
export async function usualSites(subject: SubjectReference, registry: Registry): Promise<string[] | undefined> {
  const sites = (await outlinedSites(subject, registry)) ?? [];
  if (sites.some(({ name }) => name === IMAGES)) return [IMAGES];
  const residual = sites.filter(({ name }) => RESIDUAL.test(name));
  const site = residual[Math.floor(residual.length / 3)];
  return site && [site.name];
}
