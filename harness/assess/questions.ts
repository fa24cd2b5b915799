/** @file Draws questions: which items each shows of which latent, and the right answer. Nothing is read or rendered here. */
import type { Rng } from '../num/rng.ts';
import { PROTOCOLS, type ProtocolId, SHOWN } from './protocols.ts';
import { type SampledLatent, topDecile } from './sample.ts';

/** An item as a question shows it: the part of a text about the strongest token of a latent. */
export interface Shown {
  method: number;
  latent: number;
  item: number;
  /** How tokens are marked: where the latent fires, elsewhere, or not at all. */
  marks: 'own' | 'wrong' | 'none';
}

/** A question before it is rendered. */
export interface Question {
  /** Latents that it is about, by their place in the list of all. */
  latents: number[];
  references: Shown[];
  groups: Shown[][];
  /** The number of a group from 0, `yes` or `no`; null where raters name, or where scores of a pair decide. */
  gold: number | 'yes' | 'no' | null;
}

/** A latent that is asked about. */
export interface AskedLatent extends SampledLatent {
  method: number;
}

/** What questions are drawn from. */
export interface Material {
  protocol: ProtocolId;
  modality: 'text' | 'image';
  /** Number of items. */
  items: number;
  latents: readonly AskedLatent[];
}

const picked = <T>(from: ArrayLike<T>, count: number, rng: Rng): T[] =>
  Array.from(rng.sample(from.length, count), (i) => from[i]!);

const shown = ({ method, latent }: AskedLatent, item: number, marks: Shown['marks'] = 'own'): Shown => ({
  ...{ method, latent, item, marks },
});

/** Tries of another latent of the method before any of its latents is searched. */
const TRIES = 32;

/**
 * An item on which the latent is silent, from the top decile of another latent of the same method that is asked about: what
 * it shows is as typical of that one as the others are of theirs.
 */
function distractor(own: AskedLatent, material: Material, rng: Rng): Shown | undefined {
  const fires = new Set(own.ranked.items);
  const others = material.latents.filter(({ method, latent }) => method === own.method && latent !== own.latent);
  const silent = (other: AskedLatent) => Array.from(topDecile(other.ranked, SHOWN)).filter((item) => !fires.has(item));
  for (let i = 0; i < TRIES && others.length > 0; i++) {
    const other = rng.choice(others);
    const items = silent(other);
    if (items.length > 0) return shown(other, rng.choice(items));
  }
  const all = others.flatMap((other) => silent(other).map((item) => shown(other, item)));
  return all.length > 0 ? rng.choice(all) : undefined;
}

type Draw = (own: AskedLatent, yes: boolean, material: Material, rng: Rng) => Omit<Question, 'latents'> | undefined;

/** Four items of the top decile and one of another latent, in any order. */
const intruder: Draw = (own, _yes, material, rng) => {
  const other = distractor(own, material, rng);
  if (!other) return undefined;
  const groups = picked(topDecile(own.ranked, SHOWN), SHOWN, rng).map((item) => [shown(own, item)]);
  const gold = rng.int(groups.length + 1);
  groups.splice(gold, 0, [other]);
  return { references: [], groups, gold };
};

/** The strongest items as references, and one of the weaker ones. */
function byExamples(own: AskedLatent, rng: Rng): { references: Shown[]; item: number } {
  const { items } = own.ranked;
  const references = picked(topDecile(own.ranked, SHOWN), SHOWN, rng);
  const rest = Array.from(items).filter((item) => !references.includes(item));
  return { references: references.map((item) => shown(own, item)), item: rng.choice(rest) };
}

/** Does this item, unmarked, fire the latent that fires on the references? */
const detection: Draw = (own, yes, material, rng) => {
  const { references, item } = byExamples(own, rng);
  if (yes) return { references, groups: [[shown(own, item, 'none')]], gold: 'yes' };
  const other = distractor(own, material, rng);
  return other && { references, groups: [[{ ...other, marks: 'none' }]], gold: 'no' };
};

/** Are the tokens marked on which the latent fires? As many are where they are not. */
const fuzzing: Draw = (own, yes, _material, rng) => {
  const { references, item } = byExamples(own, rng);
  return { references, groups: [[shown(own, item, yes ? 'own' : 'wrong')]], gold: yes ? 'yes' : 'no' };
};

const top = (own: AskedLatent, { protocol, modality }: Material): Shown[] => {
  const { texts, images } = PROTOCOLS[protocol];
  return Array.from(own.ranked.items.subarray(0, modality === 'image' ? images : texts), (item) => shown(own, item));
};

const name: Draw = (own, _yes, material) => ({ references: [], groups: [top(own, material)], gold: null });

/** As many yes as no, in any order. */
function answers(count: number, rng: Rng): boolean[] {
  return rng.shuffle(Array.from({ length: count }, (_, i) => i % 2 === 0));
}

function eachLatent(draw: Draw, material: Material, rng: Rng): Question[] {
  const { questions } = PROTOCOLS[material.protocol];
  const asked = material.latents.flatMap((own, place) => Array.from({ length: questions }, () => ({ own, place })));
  const byMethod = new Map<number, boolean[]>();
  for (const method of new Set(asked.map(({ own }) => own.method))) {
    const count = asked.filter(({ own }) => own.method === method).length;
    byMethod.set(method, answers(count, rng.fork(`answers ${method}`)));
  }
  return asked.flatMap(({ own, place }, i) => {
    const question = draw(own, byMethod.get(own.method)!.pop()!, material, rng.fork(`question ${i}`));
    return question ? [{ latents: [place], ...question }] : [];
  });
}

/**
 * Each latent beside one of another method where there is one left, else of its own: latents are dealt one after another to
 * the method that has most of them left.
 */
function pairs(material: Material, rng: Rng): Question[] {
  const left = new Map<number, number[]>();
  for (const place of rng.permutation(material.latents.length)) {
    const { method } = material.latents[place]!;
    left.set(method, [...(left.get(method) ?? []), place]);
  }
  const questions: Question[] = [];
  for (;;) {
    // In any order among those with as many left, or the same methods would meet again and again.
    const full = rng.shuffle([...left.values()].filter(({ length }) => length > 0));
    const [first, second] = full.sort((a, b) => b.length - a.length);
    const one = first?.pop();
    const other = (second ?? first)?.pop();
    if (one === undefined || other === undefined) return questions;
    const latents = rng.shuffle([one, other]);
    const groups = latents.map((place) => top(material.latents[place]!, material));
    questions.push({ latents, references: [], groups, gold: null });
  }
}

const DRAWS: Readonly<Record<Exclude<ProtocolId, 'pair'>, Draw>> = { intruder, detection, fuzzing, name };

/** The questions about all latents, in the order of these. */
export const drawQuestions = (material: Material, rng: Rng): Question[] =>
  material.protocol === 'pair' ? pairs(material, rng) : eachLatent(DRAWS[material.protocol], material, rng);

/** Pairs with what a score says: the latent of the higher one is right; neither where they are equal. */
export const moreFocused = (pairs: readonly Question[], scoreOf: (latent: number) => number): Question[] =>
  pairs.map((pair) => {
    const [a, b] = pair.latents.map(scoreOf);
    return { ...pair, gold: a === b ? null : Number(b! > a!) };
  });
