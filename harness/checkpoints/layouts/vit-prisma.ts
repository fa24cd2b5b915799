/**
 * @file ViT-Prisma: `config.json` of its runner with a state dict in one .pt (`weights.pt`); the input is always centred.
 * Files that hold the configuration as a pickled object are refused by the reader, which executes nothing.
 */
import { join } from 'node:path';
import { UserError } from '../../errors.ts';
import { Fields, isText, known } from '../fields.ts';
import { type Checkpoint, formOf, PER_LATENT, type RowScaling } from '../form.ts';
import type { Layout } from '../layout.ts';
import { onlyFile, type Place } from '../place.ts';
import { openWeightsFile, refuseOtherTensors } from '../tensors.ts';

const CONFIG = 'config.json';

async function configOf({ folder, has }: Place): Promise<Fields | undefined> {
  if (!has(CONFIG)) return undefined;
  const config = await Fields.read('vit-prisma', join(folder, CONFIG));
  return ['activation_fn_str', 'hook_point_layer', 'layer_subtype'].every((name) => Object.hasOwn(config.json, name))
    ? config
    : undefined;
}

/** The activation of the magnitudes, or of all where there is no gate. */
function activationOf(config: Fields): { activation: 'relu' | 'topk' | 'gated'; tanh: boolean; k?: number } {
  const isArchitecture = (value: unknown): value is string => value === 'standard' || value === 'gated';
  const gated = config.get('architecture', 'standard or gated', isArchitecture) === 'gated';
  const kwargs = config.inner('activation_fn_kwargs');
  const name = config.json['activation_fn_str'];
  if (name === 'topk' && !gated) {
    kwargs.refuseOthers('k');
    // What the library does where none is given.
    return { activation: 'topk', tanh: false, k: kwargs.size('k') };
  }
  if (name !== 'relu' && name !== 'tanh-relu')
    config.fail('activation_fn_str', `relu${gated ? '' : ', topk'} or tanh-relu`);
  return { activation: gated ? 'gated' : 'relu', tanh: name === 'tanh-relu' };
}

function siteIn(config: Fields): string | undefined {
  const [layer, hook] = [
    config.json['hook_point_layer'],
    config.optional('layer_subtype', 'a text', isText, undefined),
  ];
  return Number.isInteger(layer) && hook !== undefined ? `vision.blocks.${layer}.${hook}` : undefined;
}

export const vitPrisma: Layout = {
  id: 'vit-prisma',
  title: 'ViT-Prisma',
  async claim(place) {
    const weights = onlyFile(place, /\.(pt|pth)$/);
    return weights !== undefined && (await configOf(place)) !== undefined ? weights : undefined;
  },
  async open(place, file) {
    const config = (await configOf(place))!;
    if (config.flag('is_transcoder', false)) config.fail('is_transcoder', 'false: its transcoders are not served');
    const head = config.json['hook_point_head_index'];
    if (head !== undefined && head !== null) config.fail('hook_point_head_index', 'null: no SAE of one head is served');
    const d_in = config.size('d_in');
    const { activation, tanh, k } = activationOf(config);
    const given = config.json['normalize_activations'] ?? 'none';
    const scalings: readonly unknown[] = ['none', 'layer_norm', 'constant_norm_rescale'];
    if (!scalings.includes(given)) config.fail('normalize_activations', scalings.join(', '));
    const weights = await openWeightsFile(join(place.folder, file));
    const names = ['W_enc', 'W_dec', 'b_dec', ...PER_LATENT[activation]];
    // Gated ones carry it and never use it.
    refuseOtherTensors(weights, 'vit-prisma', `${activation} SAE`, names, activation === 'gated' ? ['b_enc'] : []);
    const d_sae = weights.shapeOf('W_enc')[1];
    if (d_sae === undefined || (k ?? 1) > d_sae) {
      throw new UserError(
        `vit-prisma ${weights.path}: expected W_enc [${d_in}, latents] with k = ${k ?? 1} of them at most; found ` +
          `[${weights.shapeOf('W_enc')}].`,
      );
    }
    const rows = given === 'none' ? {} : { rows: given as RowScaling };
    const full = {
      architecture: activation,
      ...{ d_in, d_sae, d_out: d_in },
      ...known({ k, advertisedL0: k, hook_name: siteIn(config), model_name: config.text('model_name') }),
      form: formOf(activation, { centred: true, tanh, ...rows }),
    };
    return {
      facts: full,
      files: [CONFIG, file],
      async read() {
        const tensors: Checkpoint['tensors'] = {
          W_enc: await weights.read('W_enc', [d_in, d_sae]),
          W_dec: await weights.read('W_dec', [d_sae, d_in]),
          b_dec: await weights.read('b_dec', [d_in]),
        };
        for (const name of PER_LATENT[activation]) tensors[name] = await weights.read(name, [d_sae]);
        return { config: full, tensors };
      },
    };
  },
};
