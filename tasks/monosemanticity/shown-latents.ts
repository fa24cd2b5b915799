/** @file Latents of high MS score and some at random, for the reports' browser of latents. */
import type { PooledLatents, TaskContext, TaskOutcome } from '../../harness/contract.ts';
import {
  createRng,
  type MsScores,
  scoresWithSupport,
  showLatents,
  type WantedLatent,
} from '../../harness/kit/index.ts';
import { SUPPORT } from './metrics.ts';

/** Of each kind. */
const EACH = 6;

/** The latents of highest score among those that enough items carry, then others that are not dead, drawn alike for every method. */
export function latentsOf(ms: MsScores): WantedLatent[] {
  const supported = scoresWithSupport(ms, SUPPORT);
  const msOf = (latent: number) =>
    ms.status[latent] === 'scored' ? { ms: Number(ms.scores[latent]!.toPrecision(4)) } : {};
  const top = Array.from(supported.keys())
    .filter((latent) => !Number.isNaN(supported[latent]))
    .sort((a, b) => supported[b]! - supported[a]! || a - b)
    .slice(0, EACH);
  const others = Array.from(ms.scores.keys()).filter((latent) => ms.status[latent] !== 'dead' && !top.includes(latent));
  const drawn = createRng('monosemanticity/shown-latents').shuffle(others).slice(0, EACH);
  return [
    ...top.map((latent) => ({ latent, sign: 1 as const, why: 'score' as const, ...msOf(latent) })),
    ...drawn.map((latent) => ({ latent, sign: 1 as const, why: 'random' as const, ...msOf(latent) })),
  ];
}

/** Those latents with their top held-out items; nothing where none are asked for. */
export async function shownLatents(
  { options, method, dataset, subject, site, test, testItems }: TaskContext<{ latentExamples: number }>,
  pooled: PooledLatents,
  ms: MsScores,
): Promise<Pick<TaskOutcome, 'latents'>> {
  const wanted = latentsOf(ms);
  if (options.latentExamples === 0 || wanted.length === 0) return {};
  const source = {
    ...{ method, set: test, items: testItems, pooled, subject, site: site.name },
    ...{ private: dataset.privateItems === true, examples: options.latentExamples },
  };
  const latents = await showLatents(source, wanted, {
    from: 'held-out items',
    rule: `the ${EACH} latents of highest MS score with at least ${SUPPORT} effective items, and ${EACH} at random`,
  });
  return { latents };
}
