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
  /** Latents that nobody is asked about, of which what does not belong is taken: seen nowhere else, it is not known by that. */
  spare: readonly AskedLatent[];
}

const picked = <T>(from: ArrayLike<T>, count: number, rng: Rng): T[] =>
  Array.from(rng.sample(from.length, count), (i) => from[i]!);

const shown = ({ method, latent }: AskedLatent, item: number, marks: Shown['marks'] = 'own'): Shown => ({
  ...{ method, latent, item, marks },
});

/** Tries of another latent of the method before any of its latents is searched. */
const TRIES = 32;

/**
 * An item on which the latent is silent, from the top decile of another latent of the same method: what it shows is as typical
 * of that one as the others are of theirs. Of one that nobody is asked about where the method has any.
 */
function distractor(own: AskedLatent, material: Material, rng: Rng): Shown | undefined {
  return (
    distractorOf(own, material.spare, rng.fork('spare')) ?? distractorOf(own, material.latents, rng.fork('asked about'))
  );
}

function distractorOf(own: AskedLatent, from: readonly AskedLatent[], rng: Rng): Shown | undefined {
  const fires = new Set(own.ranked.items);
  const others = from.filter(({ method, latent }) => method === own.method && latent !== own.latent);
  const silent = (other: AskedLatent) => Array.from(topDecile(other.ranked, SHOWN)).filter((item) => !fires.has(item));
  for (let i = 0; i < TRIES && others.length > 0; i++) {
    const other = rng.choice(others);
    const items = silent(other);
    if (items.length > 0) return shown(other, rng.choice(items));
  }
  const all = others.flatMap((other) => silent(other).map((item) => shown(other, item)));
  return all.length > 0 ? rng.choice(all) : undefined;
}

/** One of the questions about a latent: which, and the random numbers that all of them share and its own. */
interface Turn {
  turn: number;
  yes: boolean;
  ofLatent: Rng;
  rng: Rng;
}

type Draw = (own: AskedLatent, turn: Turn, material: Material) => Omit<Question, 'latents'> | undefined;

/** Four items of the top decile and one of another latent, in any order. */
const intruder: Draw = (own, { rng }, material) => {
  const other = distractor(own, material, rng);
  if (!other) return undefined;
  const groups = picked(topDecile(own.ranked, SHOWN), SHOWN, rng).map((item) => [shown(own, item)]);
  const gold = rng.int(groups.length + 1);
  groups.splice(gold, 0, [other]);
  return { references: [], groups, gold };
};

/** The strongest items as references, the same in all questions about the latent, and of the rest another in each: no question shows what one asks. */
function byExamples(own: AskedLatent, { turn, ofLatent }: Turn): { references: Shown[]; item: number } {
  const rng = ofLatent.fork('examples');
  const references = picked(topDecile(own.ranked, SHOWN), SHOWN, rng);
  const rest = rng.shuffle(Array.from(own.ranked.items).filter((item) => !references.includes(item)));
  return { references: references.map((item) => shown(own, item)), item: rest[turn]! };
}

/** Does this item, unmarked, fire the latent that fires on the references? */
const detection: Draw = (own, turn, material) => {
  const { references, item } = byExamples(own, turn);
  if (turn.yes) return { references, groups: [[shown(own, item, 'none')]], gold: 'yes' };
  const other = distractor(own, material, turn.rng);
  return other && { references, groups: [[{ ...other, marks: 'none' }]], gold: 'no' };
};

/** Are the tokens marked on which the latent fires? As many are where they are not. */
const fuzzing: Draw = (own, turn) => {
  const { yes } = turn;
  const { references, item } = byExamples(own, turn);
  return { references, groups: [[shown(own, item, yes ? 'own' : 'wrong')]], gold: yes ? 'yes' : 'no' };
};

const top = (own: AskedLatent, { protocol, modality }: Material): Shown[] => {
  const { texts, images } = PROTOCOLS[protocol];
  return Array.from(own.ranked.items.subarray(0, modality === 'image' ? images : texts), (item) => shown(own, item));
};

const name: Draw = (own, _turn, material) => ({ references: [], groups: [top(own, material)], gold: null });

/** As many yes as no, in any order. */
function answers(count: number, rng: Rng): boolean[] {
  return rng.shuffle(Array.from({ length: count }, (_, i) => i % 2 === 0));
}

function eachLatent(draw: Draw, material: Material, rng: Rng): Question[] {
  const { questions } = PROTOCOLS[material.protocol];
  const asked = material.latents.flatMap((own, place) =>
    Array.from({ length: questions }, (_, turn) => ({ own, place, turn })),
  );
  const byMethod = new Map<number, boolean[]>();
  for (const method of new Set(asked.map(({ own }) => own.method))) {
    const count = asked.filter(({ own }) => own.method === method).length;
    byMethod.set(method, answers(count, rng.fork(`answers ${method}`)));
  }
  return asked.flatMap(({ own, place, turn }, i) => {
    const yes = byMethod.get(own.method)!.pop()!;
    const ofLatent = rng.fork(`latent ${place}`);
    const question = draw(own, { turn, yes, ofLatent, rng: rng.fork(`question ${i}`) }, material);
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
