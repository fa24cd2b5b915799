/**
 * @file EleutherAI's sparsify: `cfg.json` and `sae.safetensors`, in a folder named after the hookpoint (`layers.10.mlp`).
 *
 * Traps: W_dec lies as [d_sae, d_in] already; a transcoder does not subtract b_dec; a hookpoint is the output of its module, so
 * `layers.10` is the residual stream after the block and `layers.10.mlp` what the MLP adds to it.
 */
import { basename, join } from 'node:path';
import { UserError } from '../../errors.ts';
import { Fields, isSize, known } from '../fields.ts';
import { formOf } from '../form.ts';
import type { Layout } from '../layout.ts';
import { siteOf } from '../sites.ts';
import { openWeightsFile, refuseOtherTensors, transposed } from '../tensors.ts';

const CONFIG = 'cfg.json';
const WEIGHTS = 'sae.safetensors';

/** What the library reads, and what only training does; `hookpoint` and `model` are there where a person added them. */
const KEYS = `activation d_in expansion_factor normalize_decoder num_latents k multi_topk skip_connection transcode signed
  hookpoint model`;

export const sparsify: Layout = {
  id: 'sparsify',
  title: 'sparsify',
  async claim({ has }) {
    return has(CONFIG) && has(WEIGHTS) ? WEIGHTS : undefined;
  },
  async open({ folder }, file) {
    const cfg = await Fields.read('sparsify', join(folder, CONFIG));
    cfg.refuseOthers(KEYS);
    const d_in = cfg.size('d_in');
    // 0 in num_latents says: by the expansion factor.
    const latents = cfg.json['num_latents'] || undefined;
    const d_sae = latents === undefined ? d_in * cfg.size('expansion_factor') : cfg.size('num_latents');
    const k = cfg.optional('k', 'a whole number of at least 1', isSize, 32);
    if (k > d_sae) throw new UserError(`sparsify ${join(folder, CONFIG)}: k: expected at most ${d_sae}, found ${k}.`);
    const isKnown = (value: unknown): value is 'topk' | 'groupmax' => value === 'topk' || value === 'groupmax';
    const activation = cfg.optional('activation', 'topk or groupmax', isKnown, 'topk');
    if (activation === 'groupmax' && d_sae % k !== 0) cfg.fail('k', `a divisor of the ${d_sae} latents, with groupmax`);
    const signed = cfg.flag('signed', false);
    if (signed && activation === 'groupmax') cfg.fail('signed', 'false with groupmax');
    const [transcodes, skips] = [cfg.flag('transcode', false), cfg.flag('skip_connection', false)];
    const weights = await openWeightsFile(join(folder, file));
    const names = ['encoder.weight', 'encoder.bias', 'W_dec', 'b_dec', ...(skips ? ['W_skip'] : [])];
    refuseOtherTensors(weights, 'sparsify', 'SparseCoder with this cfg.json', names);
    const sizes = { d_in, d_sae, d_out: d_in, k, advertisedL0: k };
    const hook_name = siteOf(cfg.text('hookpoint') ?? basename(folder));
    const sited = /hook_/.test(hook_name ?? '') ? { hook_name } : {};
    // A module is read at its input and reconstructed at its output, which is the site that the hookpoint names.
    const origin = transcodes
      ? { transcodes: true as const, ...known({ hook_name_out: sited.hook_name }) }
      : known(sited);
    const kind = signed ? 'abstopk' : activation;
    const config = {
      architecture: `${kind}${skips ? ' with a skip connection' : ''}${transcodes ? ' transcoder' : ''}`,
      ...sizes,
      ...origin,
      ...known({ model_name: cfg.text('model') }),
      form: formOf(kind, { centred: !transcodes, transcodes }),
    };
    return {
      facts: config,
      files: [CONFIG, file],
      read: async () => ({
        config,
        tensors: {
          W_enc: transposed(await weights.read('encoder.weight', [d_sae, d_in])),
          b_enc: await weights.read('encoder.bias', [d_sae]),
          W_dec: await weights.read('W_dec', [d_sae, d_in]),
          b_dec: await weights.read('b_dec', [d_in]),
          ...(skips ? { W_skip: await weights.read('W_skip', [d_in, d_in]) } : {}),
        },
      }),
    };
  },
};
