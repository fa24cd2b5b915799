/**
 * @file Which positions of a site are rows: a declared filter, or one measured where a model has attention sinks, positions
 * whose norm is far above that of all others and which then decide every mean and variance (Sun et al. 2024, "Massive
 * activations", arXiv:2402.17762).
 */
import type { ActivationSet, Site } from '../contract/data.ts';
import type { Tokenizer } from '../contract/subject.ts';
import { UserError } from '../errors.ts';
import { activationSet } from './activation-set.ts';
import { medianOf, rowNorms } from './norms.ts';

/** What a suite or `--positions` says. Without any of it sinks are measured. */
export interface PositionFilter {
  /** `keep`: nothing is measured. Default `auto`; `first` or `maxNorm` take the place of measuring. */
  sinks?: 'auto' | 'keep';
  /** The first positions of every item to leave out, special tokens counted. */
  first?: number;
  /** Rows are left out whose norm is above so many times the median of the sample. */
  maxNorm?: number;
  /** Tokens to leave out: ids, or texts of one token. */
  tokens?: readonly (number | string)[];
}

/** What is left out at one site, the same for all splits. */
export interface PositionRule {
  first: number;
  /** Norm above which a row is left out. */
  norm?: number;
  maxNorm?: number;
  /** Ids. */
  tokens: readonly number[];
  /** Whether `first` and `norm` were measured, not declared. */
  measured: boolean;
  /** In words. */
  description: string;
}

/**
 * Items that are measured: the first of the training split. Any limit or number of training items of at least so many gives
 * the same decision where a dataset's first items do not depend on how many are asked for, whatever the shards and threads.
 */
export const SAMPLE_ITEMS = 64;
/** Leading positions that may be sinks: the models on record have one, some with a prefix a few. */
const LEADING = 4;
/** A leading position is a sink from 5 times the median norm on: of 100 positions of a text it has then a fifth of the energy. */
const SINK_NORM = 5;
/** Any other row is an outlier above 10 times the median norm (`max_activation_norm_multiple` of dictionary_learning). */
const OUTLIER_NORM = 10;

/** The first {@link SAMPLE_ITEMS} items of a set. */
async function sampleOf(set: ActivationSet) {
  const n = set.bounds[Math.min(SAMPLE_ITEMS, set.bounds.length - 1)]!;
  const x = await set.read(0, n);
  const rows = [...Array(n).keys()].filter((row) => set.keep[row] === 1);
  return { norms: rowNorms(x, set.d_in), rows };
}

const shown = (value: number) => value.toLocaleString('en', { maximumSignificantDigits: 3 });
const firstText = (first: number) =>
  first === 1 ? 'the first position of every item' : `the first ${first} positions of every item`;

/**
 * The rule at a site with a row a position; undefined where nothing is left out. Pooled sites have one row an item, and no rule.
 *
 * @param train Training activations under the policy of special tokens: what is measured.
 * @throws UserError for a token text that is not one token, or ids where rows have none.
 */
export async function positionRule(
  filter: PositionFilter,
  site: Site,
  train: ActivationSet,
  tokenizer?: Pick<Tokenizer, 'encode'>,
): Promise<PositionRule | undefined> {
  if (site.kind !== 'tokens') return undefined;
  const tokens = tokenIds(filter.tokens ?? [], train, tokenizer);
  const declared = filter.first !== undefined || filter.maxNorm !== undefined;
  const texts: string[] = [];
  let rule: Pick<PositionRule, 'first' | 'norm' | 'maxNorm'> = { first: filter.first ?? 0 };
  if (declared) {
    if (rule.first > 0) texts.push(firstText(rule.first));
    if (filter.maxNorm !== undefined) {
      const { norms, rows } = await sampleOf(train);
      const median = medianOf(rows.map((row) => norms[row]!));
      rule = { ...rule, maxNorm: filter.maxNorm, norm: filter.maxNorm * median };
      texts.push(`rows of a norm above ${filter.maxNorm} times the median, ${shown(median)}`);
    }
  } else if (filter.sinks !== 'keep' && site.modality === 'text') {
    const measured = await measure(train);
    rule = measured.rule;
    texts.push(...measured.texts);
  }
  if (tokens.length > 0) texts.push(`tokens ${tokens.slice(0, 8).join(', ')}${tokens.length > 8 ? ', …' : ''}`);
  if (texts.length === 0) return undefined;
  return {
    ...rule,
    tokens,
    measured: !declared && texts.length > (tokens.length > 0 ? 1 : 0),
    description: texts.join('; '),
  };
}

async function measure(train: ActivationSet) {
  const { norms, rows } = await sampleOf(train);
  const median = medianOf(rows.map((row) => norms[row]!));
  const { positions } = train;
  let first = 0;
  const texts: string[] = [];
  for (let position = 0; position < LEADING; position++) {
    const norm = medianOf(rows.filter((row) => positions[row] === position).map((row) => norms[row]!));
    if (!(norm > SINK_NORM * median)) continue;
    first = position + 1;
    texts[0] = `${firstText(first)} (measured: median norm ${shown(norm)} against ${shown(median)} of all)`;
  }
  const others = rows.filter((row) => positions[row]! >= first && norms[row]! > OUTLIER_NORM * median).length;
  if (others === 0) return { rule: { first }, texts };
  const share = `${others} of ${rows.length} sampled ones`;
  texts.push(`rows of a norm above ${OUTLIER_NORM} times the median, ${shown(median)} (measured: ${share})`);
  return { rule: { first, maxNorm: OUTLIER_NORM, norm: OUTLIER_NORM * median }, texts };
}

function tokenIds(
  given: readonly (number | string)[],
  { tokenIds: ids }: ActivationSet,
  tokenizer: Pick<Tokenizer, 'encode'> | undefined,
): number[] {
  if (given.length > 0 && !ids.some((id) => id >= 0)) {
    throw new UserError("positions: tokens: expected rows with token ids (an import's 'tokenIds'); found none.");
  }
  const found = given.map((token) => {
    if (typeof token === 'number') return token;
    const own = tokenizer?.encode(token, { addSpecialTokens: false }).ids;
    if (own?.length === 1) return own[0]!;
    const what = own ? `${own.length} tokens [${own.join(', ')}]` : 'no tokenizer that reads it; give its id';
    throw new UserError(
      `positions: tokens: expected ids or texts of one token each; ${JSON.stringify(token)} has ${what}.`,
    );
  });
  return [...new Set(found)].sort((a, b) => a - b);
}

/** A set under a rule, with what it says of the split. */
export interface FilteredSet {
  set: ActivationSet;
  /** Items that would be left without a row and keep their last one. */
  spared: number;
}

/**
 * The set without the rows that the rule leaves out: `keep` says so, and `unfiltered` what it was. The rows themselves stay.
 *
 * @param spare Of an item that the rule would empty, its last row stays: labelled items must have one to be scored.
 */
export async function withoutPositions(
  set: ActivationSet,
  { first, norm, tokens, description }: PositionRule,
  { spare = false } = {},
): Promise<FilteredSet> {
  const keep = Uint8Array.from(set.keep);
  const { bounds, positions, tokenIds: ids, d_in } = set;
  const out = new Set(tokens);
  for (let row = 0; row < set.n; row++) if (positions[row]! < first || out.has(ids[row]!)) keep[row] = 0;
  if (norm !== undefined) {
    for await (const { firstRow, x } of set.scan(4096)) {
      for (const [i, value] of rowNorms(x, d_in).entries()) if (value > norm) keep[firstRow + i] = 0;
    }
  }
  let spared = 0;
  for (let item = 0; spare && item + 1 < bounds.length; item++) {
    const [start, end] = [bounds[item]!, bounds[item + 1]!];
    if (keep.subarray(start, end).includes(1)) continue;
    const last = set.keep.subarray(start, end).lastIndexOf(1);
    if (last < 0) continue;
    keep[start + last] = 1;
    spared++;
  }
  return { set: withKeep(set, keep, `${set.policy}; left out: ${description}`), spared };
}

/** The same rows, of which others count. */
export const withKeep = (set: ActivationSet, keep: Uint8Array, policy: string): ActivationSet =>
  activationSet({ ...set, keep, policy, unfiltered: set.keep });
