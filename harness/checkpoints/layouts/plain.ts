/**
 * @file Plain tensors in one .npz, .pt or .safetensors: a person says which is which and what they are of
 * (`--checkpoint-form W_enc=enc,W_dec=dec.T,apply_b_dec_to_input=true,architecture=topk,k=32`; `form` of a method in a suite).
 *
 * A tensor that has the name of the common form needs no mapping; `NAME.T` is transposed; `none` says that there is none and
 * zeros stand for it; `ignore=A+B` passes over tensors that change nothing. A KronSAE is read this way too (`architecture=kron`
 * with `m`, `n`, `W_base` and `W_extension`), for its authors published no code.
 */
import { join } from 'node:path';
import { UserError } from '../../errors.ts';
import { sameShape } from '../../io/strided.ts';
import { Fields, isFlag, isText, known } from '../fields.ts';
import { type Activation, type Checkpoint, formOf, PER_LATENT, type RowScaling } from '../form.ts';
import type { Layout } from '../layout.ts';
import type { Place } from '../place.ts';
import { type Floats, filled, type NamedWeights, openWeightsFile, transposed } from '../tensors.ts';

const ARCHITECTURES: Readonly<Record<string, Activation>> = {
  standard: 'relu',
  topk: 'topk',
  abstopk: 'abstopk',
  jumprelu: 'jumprelu',
  batchtopk: 'jumprelu',
  gated: 'gated',
  groupmax: 'groupmax',
  kron: 'kron',
};

const TENSORS = ['W_enc', 'W_dec', 'b_enc', 'b_dec', 'threshold', 'b_gate', 'b_mag', 'r_mag', 'W_base', 'W_extension'];
const OPTIONS = ['architecture', 'k', 'apply_b_dec_to_input', 'normalize_activations', 'ignore'];
const HEADS = ['m', 'n'];
const NONE = 'none';

/** Whether a person says which tensor is which. */
export const mapsTensors = (given: Place['given']): boolean => TENSORS.some((name) => Object.hasOwn(given, name));

/** Where a tensor of the common form lies. */
interface Source {
  name: string;
  transpose: boolean;
}

function sourceOf(weights: NamedWeights, form: Fields, name: string): Source | undefined {
  const said = form.optional(name, 'the name of a tensor', isText, name);
  if (said === NONE && !weights.has(NONE)) return undefined;
  const transpose = said.endsWith('.T') && !weights.has(said);
  return { name: transpose ? said.slice(0, -2) : said, transpose };
}

/** A tensor where it lies, as the common form has it. */
async function readFrom(weights: NamedWeights, source: Source | undefined, shape: readonly number[]): Promise<Floats> {
  if (source === undefined) return { shape: [...shape], data: new Float32Array(shape.reduce((a, b) => a * b, 1)) };
  if (source.transpose) return transposed(await weights.read(source.name, [...shape].reverse()));
  return weights.read(source.name, shape);
}

/** The tensors that an activation needs. */
const namesFor = (activation: Activation) =>
  activation === 'kron'
    ? ['W_base', 'W_extension', 'W_dec', 'b_dec']
    : ['W_enc', 'W_dec', 'b_dec', ...PER_LATENT[activation]];

/** @throws UserError for a tensor that nothing reads: it may change what the SAE computes. */
function refuseLeftOver(weights: NamedWeights, form: Fields, sources: readonly (Source | undefined)[]): void {
  const ignored = (form.text('ignore') ?? '').split('+');
  const read = sources.map((source) => source?.name);
  const other = weights.names.find((name) => !read.includes(name) && !ignored.includes(name));
  if (other === undefined) return;
  throw new UserError(
    `plain ${weights.path}: tensor '${other}': expected each to be one of the form; found it left over: say which it is, or ` +
      `ignore=${other} if it changes nothing.`,
  );
}

/** What a person says beside the mapping. */
function optionsOf(form: Fields) {
  const architectures = Object.keys(ARCHITECTURES).join(', ');
  const isArchitecture = (value: unknown): value is string => isText(value) && Object.hasOwn(ARCHITECTURES, value);
  const architecture = form.get(
    'architecture',
    `${architectures} (--checkpoint-form architecture=topk,k=32)`,
    isArchitecture,
  );
  const activation = ARCHITECTURES[architecture]!;
  const isScaling = (value: unknown): value is RowScaling | 'none' =>
    value === 'none' || value === 'layer_norm' || value === 'constant_norm_rescale';
  const scaling = form.optional(
    'normalize_activations',
    'none, layer_norm or constant_norm_rescale',
    isScaling,
    'none',
  );
  const keeps = ['topk', 'abstopk', 'groupmax', 'kron'].includes(activation);
  const k = keeps || form.json['k'] !== undefined ? form.size('k') : undefined;
  return { architecture, activation, k, ...(scaling === 'none' ? {} : { rows: scaling }) };
}

/**
 * Whether b_dec is subtracted from the input. Programs differ, no tensor tells, and the wrong way gives codes that look like
 * codes: who has a b_dec must say it.
 */
function isCentred(form: Fields, b_dec: Source | undefined): boolean {
  if (b_dec === undefined) return form.flag('apply_b_dec_to_input', false);
  const expected =
    'true where b_dec is subtracted from the input before it is encoded, false where it is not (b_dec=none: no b_dec)';
  return form.get('apply_b_dec_to_input', expected, isFlag);
}

/** The two axes of a tensor as the common form has it. */
function axesOf(weights: NamedWeights, { name, transpose }: Source): [number, number] {
  const shape = weights.shapeOf(name);
  const [rows, columns, ...more] = transpose ? shape.reverse() : shape;
  if (columns !== undefined && more.length === 0) return [rows!, columns];
  throw new UserError(`plain ${weights.path}: tensor '${name}': expected two axes, found [${weights.shapeOf(name)}].`);
}

export const plain: Layout = {
  id: 'plain',
  title: 'plain tensors',
  takes: [...OPTIONS, ...HEADS, ...TENSORS],
  claimTensors: ({ names }, { given }) =>
    mapsTensors(given) || ['W_enc', 'W_dec'].every((name) => names.includes(name)),
  async open(place, file) {
    const weights = await openWeightsFile(join(place.folder, file));
    const form = new Fields(`plain ${weights.path}: form`, place.given);
    const { architecture, activation, k, ...rows } = optionsOf(form);
    const needed = namesFor(activation);
    // Said of another architecture: which of the two is meant cannot be told.
    form.refuseOthers([...OPTIONS, ...(activation === 'kron' ? HEADS : []), ...needed].join(' '));
    const sources = new Map(needed.map((name) => [name, sourceOf(weights, form, name)]));
    refuseLeftOver(weights, form, [...sources.values()]);
    const centred = isCentred(form, sources.get('b_dec'));
    const need = (name: string) => sources.get(name) ?? form.fail(name, 'the name of a tensor: an SAE has one');
    const [d_sae, d_in] = axesOf(weights, need('W_dec'));
    const encoder = sources.get('W_enc');
    const found = encoder && axesOf(weights, encoder);
    if (found && !sameShape(found, [d_in, d_sae])) {
      throw new UserError(
        `plain ${weights.path}: form: expected W_enc [d_in, d_sae] and W_dec [d_sae, d_in]; found [${found.join(', ')}] and ` +
          `[${d_sae}, ${d_in}]: NAME.T transposes.`,
      );
    }
    if (k !== undefined && k > d_sae) form.fail('k', `at most d_sae = ${d_sae}`);
    if (activation === 'groupmax' && d_sae % k! !== 0) form.fail('k', `a divisor of d_sae = ${d_sae}`);
    const [m, n] = activation === 'kron' ? [form.size('m'), form.size('n')] : [1, 1];
    const heads = { heads: d_sae / (m * n), m, n };
    if (!Number.isInteger(heads.heads)) form.fail('m', `m · n to divide d_sae = ${d_sae}`);
    const shapes: Record<string, number[]> = {
      W_enc: [d_in, d_sae],
      W_dec: [d_sae, d_in],
      b_dec: [d_in],
      W_base: [d_in, heads.heads * m],
      W_extension: [d_in, heads.heads * n],
    };
    const config = {
      architecture,
      ...{ d_in, d_sae, d_out: d_in },
      ...known({ k, advertisedL0: k }),
      form: formOf(activation, { centred, ...rows, ...(activation === 'kron' ? { heads } : {}) }),
    };
    return {
      facts: config,
      files: [file],
      async read() {
        const tensors: Checkpoint['tensors'] = {};
        for (const [name, source] of sources) {
          // One threshold may serve all latents, as BatchTopK's does.
          const shared = name === 'threshold' && source !== undefined && weights.shapeOf(source.name).length === 0;
          tensors[name] = shared
            ? filled(d_sae, await weights.scalar(source.name))
            : await readFrom(weights, source, shapes[name] ?? [d_sae]);
        }
        return { config, tensors };
      },
    };
  },
};
