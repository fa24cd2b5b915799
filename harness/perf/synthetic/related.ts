/** @file Superposed sparse features whose rows have neighbours and a second site, for variants that learn from either. */
import { join } from 'node:path';
import { writeNpy } from '../../io/npy.ts';
import { joined } from '../../num/join.ts';
import { createRng } from '../../num/rng.ts';
import { unitRows } from '../../train/fitted-sae.ts';
import { LENGTH_DEVIATION, SYNTHETIC, type SyntheticData, writeSynthetic } from './data.ts';
import type { RecoverOptions } from './recover.ts';

/** Rows that follow one another, as the tokens of a text do; each run is independent of the others. */
export const RUN = 16;
/** The first of the features, this part of them, are active on all rows of a run or on none, each row with a length of its own. */
const SLOW = 0.2;

export interface RelatedData {
  rows: SyntheticData;
  /** The same features of the same rows in directions of their own: what the first site's features map to. */
  target: SyntheticData;
}

/** The world `SYNTHETIC`, but for features that neighbours share. */
export function relatedData(seed: number, world = SYNTHETIC): RelatedData {
  const { features, d, l0 } = world;
  const rng = createRng(seed).fork('related');
  const dictionaries = ['dictionary', 'target'].map((name) =>
    unitRows(rng.fork(name).fillNormal(new Float32Array(features * d)), d),
  ) as [Float32Array, Float32Array];
  const total = world.train + world.test;
  const sites = dictionaries.map(() => new Float32Array(total * d)) as [Float32Array, Float32Array];
  const draws = rng.fork('rows');
  const slow = Math.floor(SLOW * features);
  const fires = new Float32Array(features);
  const fresh = fires.subarray(slow);
  for (let row = 0; row < total; row++) {
    draws.fillUniform(row % RUN === 0 ? fires : fresh);
    for (let g = 0; g < features; g++) {
      if (fires[g]! >= l0 / features) continue;
      const length = Math.abs(1 + LENGTH_DEVIATION * draws.normal());
      for (const [s, dictionary] of dictionaries.entries()) {
        for (let j = 0; j < d; j++) sites[s]![row * d + j]! += length * dictionary[g * d + j]!;
      }
    }
  }
  const site = (s: 0 | 1): SyntheticData => ({
    world,
    dictionary: dictionaries[s],
    train: sites[s].subarray(0, world.train * d),
    test: sites[s].subarray(world.train * d),
  });
  return { rows: site(0), target: site(1) };
}

/** Both sites' rows one after the other, as a joint site has them, and the directions of both as one of unit length. */
export function jointData({ rows, target }: RelatedData): SyntheticData {
  const { d } = rows.world;
  const sideBySide = (a: Float32Array, b: Float32Array) => {
    const out = new Float32Array(a.length + b.length);
    for (let at = 0; at < a.length; at += d) {
      out.set(a.subarray(at, at + d), 2 * at);
      out.set(b.subarray(at, at + d), 2 * at + d);
    }
    return out;
  };
  return {
    world: { ...rows.world, d: 2 * d },
    dictionary: unitRows(sideBySide(rows.dictionary, target.dictionary), 2 * d),
    train: sideBySide(rows.train, target.train),
    test: sideBySide(rows.test, target.test),
  };
}

/** Variants that learn from neighbours or a second site. */
export const RELATED: readonly string[] = ['temporal', 'transcoder', 'skip-transcoder', 'crosscoder'];

/** What one of `RELATED` is tried on; undefined for the others. */
export function relatedTo(
  variant: string,
  data: () => RelatedData,
): [rows: SyntheticData, relation: Pick<RecoverOptions, 'run' | 'target' | 'input'>] | undefined {
  if (!RELATED.includes(variant)) return undefined;
  const { rows, target } = data();
  if (variant === 'temporal') return [rows, { run: RUN }];
  if (variant === 'crosscoder') return [jointData({ rows, target }), { input: [2, rows.world.d] }];
  return [rows, { target }];
}

/** As `writeSynthetic`, and the second site's rows and dictionary in `truth/`. */
export async function writeRelated(folder: string, { rows, target }: RelatedData): Promise<void> {
  await writeSynthetic(folder, rows);
  const { features, d } = rows.world;
  const x = joined(Float32Array, [target.train, target.test]);
  await writeNpy(join(folder, 'truth', 'target.npy'), [x.length / d, d], x);
  await writeNpy(join(folder, 'truth', 'target-dictionary.npy'), [features, d], target.dictionary);
}
