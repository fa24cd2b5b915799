/** @file A union of manifolds of known dimensions as a dataset of vectors. */
import { defineDataset } from '../../harness/contract.ts';
import { sha256Json } from '../../harness/kit/index.ts';
import { createManifoldWorld, MANIFOLD_WORLDS } from '../worlds/manifolds/world.ts';
import { idsOf, numberedItems } from './parts/vector-dataset.ts';

interface Options {
  world: keyof typeof MANIFOLD_WORLDS;
}

export default defineDataset<Options>({
  id: 'manifolds',
  title: 'World of manifolds: a union of linear and curved ones of known dimensions; needs no subject',
  paper: 'Lu et al. 2025 (VAEase), arXiv:2506.04859',
  version: 1,
  modality: 'vectors',
  options: {
    world: {
      enum: Object.keys(MANIFOLD_WORLDS),
      default: 'linear',
      description:
        'linear: dimensions 4, 6 and 8 in 40; published: three of 4 in 40; curved: a linear and a curved one of 3 and a sphere of 2.',
    },
  },
  async open({ world }, { seed }) {
    const config = MANIFOLD_WORLDS[world];
    const { d, manifolds, manifoldOf, rows } = createManifoldWorld(config, seed);
    return {
      id: 'manifolds',
      modality: 'vectors',
      fingerprint: sha256Json({ world: config, seed }),
      corpus: numberedItems,
      activations: {
        site: { name: 'manifolds', d, modality: 'vectors', kind: 'pooled' },
        rows: async (items) => rows(idsOf(items)),
      },
      manifolds: {
        list: manifolds.map(({ name, dimension }) => ({ name, dimension })),
        of: ({ id }) => manifoldOf(id),
      },
    };
  },
});
