/** @file How a latent's values on captions go with its values on the images that they belong to. */
import type { PooledLatents } from '../../harness/contract.ts';
import { auroc, thresholdToRate } from '../../harness/kit/index.ts';

/** Latents of items, latent by latent. */
export interface LatentColumns {
  items: number;
  /** Of each latent its value on every item [d_sae][items]. */
  values: Float32Array[];
  /** 1 where it fires. */
  fires: Uint8Array[];
}

/**
 * Columns of pooled latents. A latent of a sparse method fires above 0; a dense one is made to fire on the share `rate` of
 * the items on which it is highest.
 */
export function latentColumns(pooled: PooledLatents, rate: number): LatentColumns {
  const { items, d_sae } = pooled;
  const columns = <T>(make: () => T): T[] => Array.from({ length: d_sae }, make);
  const values = columns(() => new Float32Array(items));
  const fires = columns(() => new Uint8Array(items));
  const firing = pooled.kind === 'sparse' ? pooled.max : thresholdToRate(pooled.max, items, d_sae, rate);
  for (let item = 0; item < items; item++) {
    for (let at = firing.indptr[item]!; at < firing.indptr[item + 1]!; at++) {
      const latent = firing.indices[at]!;
      values[latent]![item] = firing.values[at]!;
      if (pooled.kind === 'dense' || firing.values[at]! > 0) fires[latent]![item] = 1;
    }
  }
  if (pooled.kind === 'dense') {
    for (let item = 0; item < items; item++) {
      for (let latent = 0; latent < d_sae; latent++) values[latent]![item] = pooled.max[item * d_sae + latent]!;
    }
  }
  return { items, values, fires };
}

/** Latents that fire on at least `least` images and are silent on as many. */
export function scoredLatents({ fires, items }: LatentColumns, least: number): number[] {
  return fires.flatMap((column, latent) => {
    const count = column.reduce((sum, flag) => sum + flag, 0);
    return count >= least && items - count >= least ? [latent] : [];
  });
}

/** Which image and which latent a caption's values are held against: their own where nothing is said. */
export interface Pairing {
  /** The image that stands for item i. */
  image?: Uint32Array;
  /** The latent that is read on captions in place of each. */
  latent?: Uint32Array;
}

/** Of each latent the AUROC with which its value on a caption tells whether it fires on the image. */
export function captionAurocs(
  images: LatentColumns,
  captions: LatentColumns,
  latents: readonly number[],
  { image, latent: other }: Pairing = {},
): number[] {
  return latents.map((latent) => {
    const fires = images.fires[latent]!;
    const labels = image ? Uint8Array.from(image, (place) => fires[place]!) : fires;
    return auroc(captions.values[other?.[latent] ?? latent]!, labels)!;
  });
}

/**
 * Of each item the share of the latents that fire on its image or its caption which fire on both (Jaccard); 0 of an item on
 * which none fires.
 */
export function firingAgreement(
  images: LatentColumns,
  captions: LatentColumns,
  latents: readonly number[],
  { image, latent: other }: Pairing = {},
): number[] {
  const both = new Float64Array(images.items);
  const either = new Float64Array(images.items);
  for (const latent of latents) {
    const [ofImage, ofCaption] = [images.fires[latent]!, captions.fires[other?.[latent] ?? latent]!];
    for (let item = 0; item < images.items; item++) {
      const [a, b] = [ofImage[image?.[item] ?? item]!, ofCaption[item]!];
      both[item]! += a & b;
      either[item]! += a | b;
    }
  }
  return Array.from(either, (count, item) => (count > 0 ? both[item]! / count : 0));
}

/** (f − p) / √(p (1 − p)) of whether a latent fires, over the items; nothing where it does so on all or on none. */
function standardised(fires: Uint8Array): Float64Array | undefined {
  const share = fires.reduce((sum, flag) => sum + flag, 0) / fires.length;
  const spread = Math.sqrt(share * (1 - share));
  return spread > 0 ? Float64Array.from(fires, (flag) => (flag - share) / spread) : undefined;
}

/**
 * Of each item its part in the mean φ of the latents: φ, the correlation (Matthews' coefficient) of whether a latent fires on the
 * image with whether it fires on the caption, is the mean over the items of the product of the two in units of their spreads. 0 of
 * a latent that fires on all captions or on none. Where the two are independent φ has the mean 0 at every firing rate.
 */
export function firingCorrelation(
  images: LatentColumns,
  captions: LatentColumns,
  latents: readonly number[],
  { image, latent: other }: Pairing = {},
): number[] {
  const sums = new Float64Array(images.items);
  for (const latent of latents) {
    const ofImage = standardised(images.fires[latent]!);
    const ofCaption = standardised(captions.fires[other?.[latent] ?? latent]!);
    if (!ofImage || !ofCaption) continue;
    for (let item = 0; item < images.items; item++) sums[item]! += ofImage[image?.[item] ?? item]! * ofCaption[item]!;
  }
  return Array.from(sums, (sum) => sum / latents.length);
}

/** Mean share of the given latents that fire on an item. */
export function firingShare({ fires, items }: LatentColumns, latents: readonly number[]): number {
  const count = latents.reduce((sum, latent) => sum + fires[latent]!.reduce((all, flag) => all + flag, 0), 0);
  return count / (items * latents.length);
}
