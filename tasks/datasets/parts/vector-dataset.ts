/** @file A world of known features as a dataset of vectors. */
import type { Dataset, Item } from '../../../harness/contract.ts';
import { sha256Json } from '../../../harness/kit/index.ts';
import type { FeatureWorld } from '../../worlds/features/sums.ts';

/** The items of a world that makes its rows from ids: as many as are asked for, numbered within their split. */
export const numberedItems: Dataset['corpus'] = async (split, n) =>
  Array.from({ length: n }, (_, i) => ({ id: `${split}-${i}` }));

export const idsOf = (items: readonly Item[]): string[] => items.map(({ id }) => id);

/** The dataset of that id with one site of the same name. `identity` is all that its content depends on beside the code, `input` the shape of its rows. */
export function vectorDataset(
  id: string,
  identity: Record<string, unknown>,
  world: FeatureWorld,
  input?: readonly number[],
): Dataset {
  const { features, d, parents, directions } = world;
  return {
    id,
    modality: 'vectors',
    fingerprint: sha256Json(identity),
    corpus: numberedItems,
    activations: {
      site: { name: id, d, modality: 'vectors', kind: 'pooled', ...(input && { input }) },
      rows: (items) => world.rows(idsOf(items)),
    },
    groundTruth: { features, directions, of: (items) => world.of(idsOf(items)), ...(parents && { parents }) },
  };
}
