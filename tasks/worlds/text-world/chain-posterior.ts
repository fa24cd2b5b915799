/**
 * @file What a text tells of the hidden chain behind it: the exact posterior of the themes of its clauses and the text's own
 * probability, by the forward and backward recursions (Rabiner 1989, §III) over all ways of cutting the text into clauses.
 */
import { CHAIN_CLAUSES, type ChainPlace, type Chains, STAY } from './chain.ts';
import { connector, lowerSentences } from './document.ts';
import { textsOf } from './grammar.ts';
import { logSum, sumsOfOthers } from './log-sum.ts';
import { createMatcher } from './parse.ts';

/** What a text tells; themes are in the order of the chains' concepts. */
export interface ChainReading {
  /** ln p of what was read, in nats, given what stands before it, over all themes; −∞ of a document that no chain writes. */
  readonly logProb: number;
  /** Mean posterior of the clauses that were read: the share of them that each theme governs. It sums to 1. */
  readonly shares: Float64Array;
  /** Posterior of the theme at the end of what was read, by what was read. It sums to 1. */
  readonly last: Float64Array;
  /** Clauses outside the grammar, which were passed over as if they told nothing. */
  readonly skipped: number;
}

export interface ReadOptions {
  /** Of the instruction, by id. */
  readonly topic: string;
  /** In place of `STAY`. */
  readonly stay?: number;
}

/** One clause of one theme: an edge of the lattice. */
interface Step {
  readonly theme: number;
  /** How it follows the clause before; a `first` one follows none. */
  readonly place: ChainPlace;
  readonly to: Junction;
  readonly logProb: number;
}

/** A place between two clauses after some number of clauses: a node of the lattice. */
interface Junction {
  readonly at: number;
  readonly clauses: number;
  /** ln p(text up to here, theme of the clause that ends here), by theme. */
  readonly forward: Float64Array;
  steps: Step[];
}

const JOINTS = textsOf(connector);

/**
 * Reads a whole document: of its instruction it is taken as known, of its response everything has its probability, the number
 * of clauses too. One that no chain writes has a logProb of −∞ and posteriors that are those before reading.
 */
export function readDocument(chains: Chains, text: string, options: ReadOptions): ChainReading {
  const plain = lowerSentences(text);
  const start = plain.indexOf('\n') + 1;
  const lattice = createLattice(chains, plain, options);
  const [least, most] = CHAIN_CLAUSES;
  lattice.grow(start, (clauses) => (clauses === 0 ? ['first'] : clauses < most ? ['begins', 'goes-on'] : []));
  const end = plain.endsWith('.') ? plain.length - 1 : -1;
  const ends = lattice.junctions.filter(({ at, clauses }) => at === end && clauses >= least);
  return lattice.read(start, ends, -Math.log(most - least + 1));
}

/**
 * Reads how a document goes on from the character `from`, which is the end of a clause, without regard to what stands before:
 * there every theme is alike. It may break off anywhere: only clauses that a joint or the document's end follows are read. A
 * clause outside the grammar, as a model may write it, tells nothing but that the chain makes one step there.
 */
export function readContinuation(chains: Chains, text: string, from: number, options: ReadOptions): ChainReading {
  const plain = lowerSentences(text);
  const lattice = createLattice(chains, plain, options);
  lattice.grow(from, () => ['begins', 'goes-on']);
  let skipped = 0;
  for (;;) {
    const farthest = Math.max(...lattice.junctions.map(({ at }) => at));
    const ends = lattice.junctions.filter(({ at }) => at === farthest);
    const next = nextJoint(plain, farthest + 1);
    // Where the document ends well, or the text breaks off.
    if (next < 0) return { ...lattice.read(from, ends, 0), skipped };
    lattice.skip(ends, next);
    skipped++;
    lattice.grow(next, () => ['begins', 'goes-on']);
  }
}

/** Where the next joint begins, from a place on; −1 where there is none. */
function nextJoint(plain: string, from: number): number {
  const found = JOINTS.map((joint) => plain.indexOf(joint, from)).filter((at) => at >= 0);
  return found.length === 0 ? -1 : Math.min(...found);
}

/** All ways of cutting a text into clauses with themes, as far as it is grown. */
function createLattice(chains: Chains, plain: string, { topic, stay = STAY }: ReadOptions) {
  const states = chains.concepts.length;
  const weights: Readonly<Record<ChainPlace, number>> = {
    first: 0,
    'goes-on': Math.log(stay),
    begins: Math.log((1 - stay) / (states - 1)),
  };
  const prior = () => new Float64Array(states).fill(-Math.log(states));
  const match = createMatcher(plain);
  const junctions: Junction[] = [];
  const junction = (at: number, clauses: number): Junction => {
    let found = junctions.find((each) => each.at === at && each.clauses === clauses);
    if (!found) {
      found = { at, clauses, forward: new Float64Array(states).fill(-Infinity), steps: [] };
      junctions.push(found);
    }
    return found;
  };
  /** Whether a clause may end there: before a joint or the final stop. */
  const mayEnd = (at: number): boolean =>
    (plain[at] === '.' && at + 1 === plain.length) || JOINTS.some((joint) => plain.startsWith(joint, at));

  /** ln of what each theme has before the step, by the way of the step. */
  const before = (values: Float64Array): Record<ChainPlace, Float64Array> => ({
    first: values,
    'goes-on': values,
    begins: sumsOfOthers(values),
  });

  function take(from: Junction, steps: readonly Step[]): void {
    const source = before(from.forward);
    for (const step of steps) {
      const { theme, place, to, logProb } = step;
      to.forward[theme] = logSum([to.forward[theme]!, source[place][theme]! + weights[place] + logProb]);
      from.steps.push(step);
    }
  }

  /** Adds every clause from a place on, by the places that clauses after some number of clauses can have. */
  function grow(start: number, places: (clauses: number) => readonly ChainPlace[]): void {
    if (junctions.length === 0) junction(start, 0).forward.set(prior());
    const done = new Set<Junction>();
    for (;;) {
      // From the left to the right: what leads to a junction is complete before it is left.
      const open = junctions.filter((each) => each.at >= start && !done.has(each));
      if (open.length === 0) return;
      const from = open.reduce((first, each) => (each.at < first.at ? each : first));
      done.add(from);
      const steps = places(from.clauses).flatMap((place) =>
        chains.concepts.flatMap(({ id }, theme) =>
          match(chains.clause(topic, id, place), from.at)
            .filter(({ end }) => mayEnd(end))
            .map(({ end, logProb }): Step => ({ theme, place, to: junction(end, from.clauses + 1), logProb })),
        ),
      );
      take(from, steps);
    }
  }

  /** Adds a clause that tells nothing, from junctions to a place. */
  function skip(from: readonly Junction[], to: number): void {
    for (const each of from) {
      const target = junction(to, each.clauses + 1);
      const places: readonly ChainPlace[] = ['begins', 'goes-on'];
      take(
        each,
        places.flatMap((place) => chains.concepts.map((_, theme): Step => ({ theme, place, to: target, logProb: 0 }))),
      );
    }
  }

  /** The posteriors, of texts that end at any of `ends`; `chance` is ln p of the number of clauses, whichever it is. */
  function read(start: number, ends: readonly Junction[], chance: number): ChainReading {
    const joint = Float64Array.from({ length: states }, (_, theme) =>
      logSum(ends.map(({ forward }) => forward[theme]!)),
    );
    const total = logSum(joint);
    if (total === -Infinity)
      return { logProb: total, shares: prior().map(Math.exp), last: prior().map(Math.exp), skipped: 0 };
    const backward = new Map<Junction, Float64Array>();
    const expected = new Float64Array(states);
    for (const from of [...junctions].sort((a, b) => b.at - a.at)) {
      if (from.at < start) continue;
      const source = before(from.forward);
      const after: Record<ChainPlace, Float64Array> = {
        ...{ first: new Float64Array(states).fill(-Infinity), begins: new Float64Array(states).fill(-Infinity) },
        'goes-on': new Float64Array(states).fill(-Infinity),
      };
      for (const { theme, place, to, logProb } of from.steps) {
        const rest = logProb + weights[place] + backward.get(to)![theme]!;
        after[place][theme] = logSum([after[place][theme]!, rest]);
        expected[theme]! += Math.exp(source[place][theme]! + rest - total);
      }
      const others = sumsOfOthers(after.begins);
      const ended = ends.includes(from) ? 0 : -Infinity;
      backward.set(
        from,
        Float64Array.from({ length: states }, (_, theme) =>
          logSum([ended, after.first[theme]!, after['goes-on'][theme]!, others[theme]!]),
        ),
      );
    }
    const read = expected.reduce((sum, value) => sum + value, 0);
    return {
      logProb: total + chance,
      shares: read > 0 ? expected.map((value) => value / read) : prior().map(Math.exp),
      last: joint.map((value) => Math.exp(value - total)),
      skipped: 0,
    };
  }

  return { junctions, grow, skip, read };
}
