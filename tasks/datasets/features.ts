/** @file A world of known features as a dataset: activations with the directions and features they are made of. */
import { defineDataset } from '../../harness/contract.ts';
import { FEATURE_WORLDS, type FeatureWorldName } from '../worlds/features/configuration.ts';
import { createFeatureWorld } from '../worlds/features/world.ts';
import { vectorDataset } from './parts/vector-dataset.ts';

interface Options {
  world: FeatureWorldName;
}

export default defineDataset<Options>({
  id: 'features',
  title: 'World of known features: sparse, hierarchical, correlated, in superposition; needs no subject',
  paper: 'Chanin & Garriga-Alonso 2026 (SynthSAEBench), arXiv:2602.14687',
  version: 1,
  modality: 'vectors',
  options: {
    world: {
      enum: Object.keys(FEATURE_WORLDS),
      default: 'small',
      description: 'small: 256 features in 64 dimensions; synth-sae-bench-16k: the published one, 16,384 in 768.',
    },
  },
  open: async ({ world }, { seed }) =>
    vectorDataset('features', { world: FEATURE_WORLDS[world], seed }, createFeatureWorld(FEATURE_WORLDS[world], seed)),
});
