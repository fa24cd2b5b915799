/**
 * @file Gemma Scope 1 (`params.npz`) and 2 (`params.safetensors` with `config.json`): JumpReLU, the input as it is.
 *
 * Nothing in the first says where it belongs but its path: `gemma-scope-2b-pt-res/layer_12/width_16k/average_l0_82`. Of those
 * at the embedding the encoder is divided and the decoder multiplied by √d_in, as SAELens does: they were trained on rows that
 * the model had not scaled yet. Transcoders of the first release read the feed-forward layer's input before the gain of its norm, which
 * was folded into the model (arXiv:2408.05147, "Language model technical details"); those of the second what the norm of
 * transformers gives, `pre_feedforward_layernorm.output`, gain included.
 */
import { join } from 'node:path';
import { UserError } from '../../errors.ts';
import { Fields, isFlag, isPositive, isText, known } from '../fields.ts';
import { type CheckpointFacts, formOf } from '../form.ts';
import type { Layout } from '../layout.ts';
import type { Place } from '../place.ts';
import { type NamedWeights, openWeightsFile, refuseOtherTensors, times, transposed } from '../tensors.ts';

const FILES = ['params.npz', 'params.safetensors'];
const SKIP = 'affine_skip_connection';

/** Sizes of model in the names of repositories, the longest first. */
const MODELS = ['270m', '27b', '12b', '9b', '4b', '2b', '1b'];

/** What of a block an SAE of the first release reads, by its repository's last part. */
const HOOKS: Readonly<Record<string, string>> = { res: 'hook_resid_post', mlp: 'hook_mlp_out', att: 'attn.hook_z' };

/** Of either release, and whatever a cache puts before it: `models--google--gemma-scope-2b-pt-res`. */
const REPOSITORY = /gemma-scope-(.+)$/;

interface Told {
  site: Pick<CheckpointFacts, 'hook_name' | 'hook_name_out'>;
  model?: string | undefined;
  advertisedL0?: number | undefined;
  embedding: boolean;
}

/**
 * What the folders of a path say: from the repository on where it is among them, for those above it may be called anything;
 * where several say a layer, the innermost.
 */
function toldBy(path: string, second: boolean): Told {
  const all = path.split(/[/\\]/);
  const top = all.findLastIndex((part) => REPOSITORY.test(part));
  const parts = all.slice(Math.max(0, top));
  const last = (pattern: RegExp) => parts.findLast((part) => pattern.test(part))?.match(pattern)?.[1];
  const repository = last(REPOSITORY);
  const layer = last(/^layer_(\d+)/);
  const l0 = last(/^average_l0_(\d+)$/);
  const embedding = layer === undefined && parts.includes('embedding');
  const first = repository !== undefined && !repository.startsWith('2-');
  const size = MODELS.find((name) => repository?.split('-').includes(name));
  const tuned = repository?.split('-').includes('it') ? '-it' : '';
  const model = first && size ? `gemma-2-${size}${tuned}` : repository?.replace(/^2-/, 'gemma-3-').replace(/--.*/, '');
  return {
    site: siteFrom(parts, repository, layer, { embedding, second }),
    model,
    advertisedL0: l0 ? Number(l0) : undefined,
    embedding,
  };
}

function siteFrom(
  parts: readonly string[],
  repository: string | undefined,
  layer: string | undefined,
  { embedding, second }: { embedding: boolean; second: boolean },
): Told['site'] {
  if (embedding) return { hook_name: 'hook_embed' };
  if (layer === undefined) return {};
  const at = (hook: string) => `blocks.${layer}.${hook}`;
  const kinds = [...parts, ...(repository?.split('-') ?? [])];
  const has = (name: string) => kinds.some((kind) => kind === name || kind.startsWith(`${name}_`));
  if (kinds.some((kind) => kind.startsWith('transcoder')))
    return { hook_name: at(second ? 'mlp.hook_in' : 'ln2.hook_normalized'), hook_name_out: at('hook_mlp_out') };
  for (const [name, hook] of Object.entries(HOOKS)) if (has(name)) return { hook_name: at(hook) };
  if (has('resid_post')) return { hook_name: at('hook_resid_post') };
  if (has('mlp_out')) return { hook_name: at('hook_mlp_out') };
  if (has('attn_out')) return { hook_name: at('attn.hook_z') };
  return {};
}

interface Config {
  transcodes: boolean;
  model?: string | undefined;
  advertisedL0?: number | undefined;
}

/** config.json of the second release. */
async function configOf({ folder, has }: Place): Promise<Config> {
  if (!has('config.json')) return { transcodes: false };
  const config = await Fields.read('gemma-scope', join(folder, 'config.json'));
  const isJump = (value: unknown): value is string => value === 'jump_relu' || value === 'jumprelu';
  config.optional('architecture', 'jump_relu', isJump, 'jump_relu');
  config.optional('affine_connection', 'true or false', isFlag, false);
  return {
    transcodes: config.json['hf_hook_point_out'] !== undefined && config.json['hf_hook_point_out'] !== null,
    model: config.optional('model_name', 'a text', isText, undefined)?.replace('-v3', '-3'),
    advertisedL0: config.optional('l0', 'a number above 0', isPositive, undefined),
  };
}

/** A model's name as it is published: of the smallest Gemma 3 without `-pt`. */
const published = (name: string | undefined) => name?.replace(/-270m-pt$/, '-270m');

/** The first release writes `W_enc`, the second `w_enc`. */
const prefixOf = (weights: NamedWeights) => (weights.has('w_enc') ? 'w' : 'W');

export const gemmaScope: Layout = {
  id: 'gemma-scope',
  title: 'Gemma Scope',
  async claim({ has, file }) {
    const found = FILES.filter((name) => has(name) && (file === undefined || file === name));
    return found[0];
  },
  async open(place, file) {
    const weights = await openWeightsFile(join(place.folder, file));
    const { transcodes: toldSo, ...config } = await configOf(place);
    const w = prefixOf(weights);
    const told = toldBy(place.path, w === 'w');
    const skips = weights.has(SKIP);
    const names = [`${w}_enc`, `${w}_dec`, 'b_enc', 'b_dec', 'threshold', ...(skips ? [SKIP] : [])];
    refuseOtherTensors(weights, 'gemma-scope', 'Gemma Scope SAE', names);
    const [d_in, d_sae, ...more] = weights.shapeOf(`${w}_enc`);
    const d_out = weights.shapeOf(`${w}_dec`)[1];
    if (d_sae === undefined || d_out === undefined || more.length > 0) {
      throw new UserError(
        `gemma-scope ${weights.path}: expected encoder and decoder of two axes each; found [${weights.shapeOf(`${w}_enc`)}] and ` +
          `[${weights.shapeOf(`${w}_dec`)}]: transcoders across layers are not served.`,
      );
    }
    const transcodes = toldSo || skips || told.site.hook_name_out !== undefined;
    if (!transcodes && d_out !== d_in) {
      throw new UserError(
        `gemma-scope ${weights.path}: expected a decoder of width ${d_in}, as the encoder; found ${d_out}.`,
      );
    }
    const facts = {
      architecture: `jumprelu${skips ? ' skip' : ''}${transcodes ? ' transcoder' : ''}`,
      d_in: d_in!,
      d_sae,
      d_out,
      ...told.site,
      ...(transcodes && { transcodes: true as const }),
      ...known({
        model_name: published(config.model ?? told.model),
        advertisedL0: config.advertisedL0 ?? told.advertisedL0,
      }),
    };
    const full = { ...facts, form: formOf('jumprelu', { transcodes }) };
    return {
      facts,
      files: [...(place.has('config.json') ? ['config.json'] : []), file],
      async read() {
        const W_enc = await weights.read(`${w}_enc`, [d_in!, d_sae]);
        const W_dec = await weights.read(`${w}_dec`, [d_sae, d_out]);
        const root = Math.sqrt(d_in!);
        const tensors = {
          W_enc: told.embedding ? times(W_enc, 1 / root) : W_enc,
          W_dec: told.embedding ? times(W_dec, root) : W_dec,
          b_enc: await weights.read('b_enc', [d_sae]),
          b_dec: await weights.read('b_dec', [d_out]),
          threshold: await weights.read('threshold', [d_sae]),
          ...(skips ? { W_skip: transposed(await weights.read(SKIP, [d_in!, d_out])) } : {}),
        };
        return { config: full, tensors };
      },
    };
  },
};
