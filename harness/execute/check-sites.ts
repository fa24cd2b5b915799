/** @file What a plan does not know of its subjects, found before hours are spent on what comes first. */
import os from 'node:os';
import { widthOf } from '../options.ts';
import type { Plan, SitePlan } from '../plan.ts';
import { checkMethod } from '../suite/check-method.ts';
import { checkConcepts } from '../suite/fitting-dataset.ts';
import type { Run } from './run.ts';
import { openOutline, type SessionOutline } from './session.ts';

/** Weights, gradients and two moments of encoder and decoder while an SAE trains. */
const ARRAYS_PER_SAE = 8;

/** Share of the memory that one more thread with a subject and an SAE of its own may take. */
const SHARE = 1 / 16;

const memory = () => Math.min(os.totalmem(), process.constrainedMemory() || Infinity);

/** About the bytes that a thread holds which works on these sites. */
function bytesOf(outline: SessionOutline, sites: readonly SitePlan[]): number {
  const saes = sites.flatMap(({ site, fits }) => {
    const d = outline.site(site).d;
    const trained = fits.filter(({ method }) => method.kind === 'sae' && method.checkpoint === undefined);
    return trained.map(({ method }) => ARRAYS_PER_SAE * d * widthOf(method.options, d));
  });
  return Float32Array.BYTES_PER_ELEMENT * ((outline.parameters ?? 0) + Math.max(0, ...saes));
}

/**
 * Checks for each subject, by its config where the family can, what its methods ask for at its sites.
 *
 * @returns The subjects that several threads may hold open at once: small against the memory of this machine.
 * @throws UserError for an unknown site, sizes that cannot be and the like; the signal's reason when aborted.
 */
export async function checkSites(plan: Plan, run: Pick<Run, 'registry' | 'places' | 'signal'>): Promise<Set<string>> {
  const { registry, signal } = run;
  const small = new Set<string>();
  for (const subject of new Set(plan.sites.map((sitePlan) => sitePlan.subject))) {
    signal.throwIfAborted();
    const outline = await openOutline(subject, run);
    try {
      const sites = plan.sites.filter((sitePlan) => sitePlan.subject === subject);
      for (const { site, fits } of sites) {
        const found = outline.site(site);
        for (const { method } of fits) await checkMethod(method, subject.training, found, registry, outline.site);
      }
      await checkConcepts(outline.dataset, subject.concepts, { registry, id: subject.dataset.id });
      if (bytesOf(outline, sites) <= SHARE * memory()) small.add(subject.id);
    } finally {
      outline.dispose();
    }
  }
  return small;
}
