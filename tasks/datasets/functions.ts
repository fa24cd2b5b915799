/** @file Smooth functions on grids as a dataset of vectors: trained at one resolution, tested at half and double. */
import { defineDataset } from '../../harness/contract.ts';
import { sha256Json } from '../../harness/kit/index.ts';
import { createFunctionWorld, FUNCTION_WORLD } from '../worlds/functions/world.ts';
import { idsOf, numberedItems } from './parts/vector-dataset.ts';

export default defineDataset<Record<string, never>>({
  id: 'functions',
  title: 'World of functions: smooth, sums of known kernels, on grids of three resolutions; needs no subject',
  paper: 'Tolooshams, Shen & Anandkumar 2025 (SAE neural operators), arXiv:2509.03738',
  version: 1,
  modality: 'vectors',
  options: {},
  async open(_options, { seed }) {
    const world = createFunctionWorld(FUNCTION_WORLD, seed);
    const { points } = FUNCTION_WORLD;
    return {
      id: 'functions',
      modality: 'vectors',
      fingerprint: sha256Json({ world: FUNCTION_WORLD, seed }),
      corpus: numberedItems,
      activations: {
        site: { name: 'functions', d: points, modality: 'vectors', kind: 'pooled', input: [1, points] },
        rows: async (items) => world.rows(idsOf(items), points),
        grids: {
          points: [points / 2, points, 2 * points],
          rows: async (items, at) => world.rows(idsOf(items), at),
        },
      },
    };
  },
});
