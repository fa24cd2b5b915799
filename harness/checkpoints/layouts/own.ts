/** @file This project's own layout, `sae.json` and `sae.safetensors`: what only the plug-in can use that it was trained with. */
import { OWN_CONFIG, OWN_WEIGHTS, readOwnSae } from '../../train/own-layout.ts';
import { known } from '../fields.ts';
import type { Layout } from '../layout.ts';
import { SAELENS_CONFIG } from './saelens-config.ts';

export const ownLayout: Layout = {
  id: 'saxbench',
  title: 'saxbench',
  async claim({ has }) {
    return has(OWN_CONFIG) && !has(SAELENS_CONFIG) ? OWN_WEIGHTS : undefined;
  },
  async open({ folder }) {
    const own = await readOwnSae(folder);
    const { variant, shape, hook_name, hook_name_out, model_name, model_fingerprint } = own;
    const origin = known({ hook_name, hook_name_out, model_name, model_fingerprint });
    const { d_in, d_sae, d_out } = shape;
    return { facts: { architecture: variant, d_in, d_sae, d_out, ...origin }, files: [OWN_CONFIG, OWN_WEIGHTS], own };
  },
};
