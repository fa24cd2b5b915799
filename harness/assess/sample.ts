/** @file Which latents of a method raters are asked about: the same rule for every method, whatever it is. */
import type { Rng } from '../num/rng.ts';
import type { Firing, RankedItems } from './firing.ts';

/** A latent that is asked about, with the items on which it fires. */
export interface SampledLatent {
  latent: number;
  /** Share of items on which it fires. */
  density: number;
  ranked: RankedItems;
}

export interface LatentSample {
  /** Latents that could have been drawn. */
  eligible: number;
  chosen: SampledLatent[];
  /** Of each stratum that has more than one latent, another one, about which nobody is asked. */
  spare: SampledLatent[];
}

export interface SampleRule {
  /** Latents to draw. */
  count: number;
  /** Items that a latent must fire on, and be silent on. */
  least: number;
  /** A score of each latent, without which (not a number) it cannot be drawn. */
  known?: ArrayLike<number>;
  /** Strata are made of that score instead of the density. */
  byScore?: boolean;
}

/**
 * Latents that fire on at least `least` items and are silent on as many (dead ones and those that always fire are left out),
 * in order of their density, or of their score, in as many strata of equal size as latents are wanted: one is drawn of each.
 * All of them where there are no more.
 */
export function sampleLatents(firing: Firing, { count, least, known, byScore }: SampleRule, rng: Rng): LatentSample {
  const counts = new Uint32Array(firing.d_sae);
  for (const latent of firing.codes.indices) counts[latent]!++;
  const eligible = Array.from(counts, (_, latent) => latent).filter(
    (latent) =>
      counts[latent]! >= least &&
      firing.items - counts[latent]! >= least &&
      (known === undefined || Number.isFinite(known[latent])),
  );
  const orderOf = (latent: number) => (byScore ? known![latent]! : counts[latent]!);
  eligible.sort((a, b) => orderOf(a) - orderOf(b) || a - b);
  const strata = Math.min(count, eligible.length);
  const stratum = (s: number) =>
    eligible.slice(Math.floor((s * eligible.length) / strata), Math.floor(((s + 1) * eligible.length) / strata));
  const sampled = (latent: number) => ({
    ...{ latent, density: counts[latent]! / firing.items, ranked: firing.of(latent) },
  });
  const chosen = Array.from({ length: strata }, (_, s) => rng.choice(stratum(s)));
  const spare = chosen.flatMap((latent, s) => {
    const others = stratum(s).filter((other) => other !== latent);
    return others.length > 0 ? [rng.choice(others)] : [];
  });
  return { eligible: eligible.length, chosen: chosen.map(sampled), spare: spare.map(sampled) };
}

/** Items of the top decile of a latent, but at least `least`. */
export const topDecile = ({ items }: RankedItems, least: number): Uint32Array =>
  items.subarray(0, Math.max(least, Math.ceil(items.length / 10)));
