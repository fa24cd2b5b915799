/** @file Which examples train and which test: as declared, else drawn by group, with every concept on both sides. */
import { importGroups } from '../activations/import-groups.ts';
import { createRng } from '../num/rng.ts';
import { type Domain, type DomainExample, LABEL } from './domain.ts';

export type DomainPart = 'train' | 'test';

export interface DomainSplit {
  /** Part of each example; undefined for one that is left out: a training example whose copy is in the test part. */
  partOf: (DomainPart | undefined)[];
  /** Examples of one unit, a group or copies of one text, share a number and are never on both sides. */
  unitOf: Uint32Array;
  leftOut: number;
}

/** A text as it is compared: capitals, punctuation and space do not count. Of an image, its bytes. */
export function contentKey({ text = '', image }: DomainExample): string {
  if (image) return image.hash;
  const words = text
    .normalize('NFKC')
    .toLowerCase()
    .match(/[\p{L}\p{M}\p{N}]+/gu);
  return words?.join(' ') ?? text;
}

/** What of a part is still wanted: of each class of labels, and of examples. */
interface Want {
  classes: Float64Array;
  examples: number;
}

interface Unit {
  members: number[];
  part?: DomainPart;
}

/** The classes of labels that are to be on both sides: positives and negatives of each concept. */
const CLASSES = [LABEL.positive, LABEL.negative];
const classOf = (concept: number, label: number) => CLASSES.length * concept + CLASSES.indexOf(label as 0 | 1);

/**
 * The split of a domain. Drawing goes through the classes of labels, the rarest first, and gives every unit to the part that lacks
 * most of that class (iterative stratification: Sechidis et al. 2011). It depends on ids, not on the order of rows.
 *
 * @param testShare Share of the examples that is to be held out.
 */
export function splitDomain({ examples, labels }: Domain, seed: number, testShare: number): DomainSplit {
  const distinct = Float64Array.from(examples, (_, i) => i);
  const { unitOf } = importGroups(
    distinct,
    examples.map(({ group }) => group ?? null),
    examples.map(contentKey),
  );
  const byNumber = new Map<number, Unit>();
  unitOf.forEach((number, i) => {
    const unit = byNumber.get(number) ?? { members: [] };
    unit.members.push(i);
    byNumber.set(number, unit);
  });
  const partOf: DomainSplit['partOf'] = examples.map(({ split }) => split);
  const units = [...byNumber.values()];
  let leftOut = 0;
  for (const unit of units) {
    const declared = unit.members.map((i) => partOf[i]);
    if (declared.every((part) => part === undefined)) continue;
    unit.part = declared.includes('test') ? 'test' : 'train';
    for (const i of unit.members) {
      const left = unit.part === 'test' && partOf[i] === 'train';
      partOf[i] = left ? undefined : unit.part;
      if (left) leftOut++;
    }
  }
  drawParts(units, examples, labels, seed, testShare);
  for (const { members, part } of units) {
    for (const i of members) if (examples[i]!.split === undefined) partOf[i] = part!;
  }
  return { partOf, unitOf, leftOut };
}

/** Gives every unit that has no part one. */
function drawParts(
  units: readonly Unit[],
  examples: readonly DomainExample[],
  labels: readonly Int8Array[],
  seed: number,
  testShare: number,
): void {
  const totals = new Float64Array(CLASSES.length * labels.length);
  labels.forEach((own, c) => {
    for (const label of own) if (CLASSES.includes(label as 0 | 1)) totals[classOf(c, label)]!++;
  });
  const share = { train: 1 - testShare, test: testShare };
  const want = (part: DomainPart): Want => ({
    classes: totals.map((total) => total * share[part]),
    examples: examples.length * share[part],
  });
  const wants = { train: want('train'), test: want('test') };
  const assign = (unit: Unit, part: DomainPart) => {
    unit.part = part;
    wants[part].examples -= unit.members.length;
    for (const i of unit.members) {
      labels.forEach((own, c) => {
        if (CLASSES.includes(own[i]! as 0 | 1)) wants[part].classes[classOf(c, own[i]!)]!--;
      });
    }
  };
  for (const unit of units) if (unit.part !== undefined) assign(unit, unit.part);
  const free = units.filter(({ part }) => part === undefined).map((unit) => ({ unit, name: firstId(unit, examples) }));
  free.sort((a, b) => (a.name < b.name ? -1 : 1));
  const order = createRng(seed).fork('domain split').shuffle(free);
  const lacking = (of: (want: Want) => number): DomainPart => {
    const gap = of(wants.test) - of(wants.train);
    if (gap !== 0) return gap > 0 ? 'test' : 'train';
    return wants.test.examples > wants.train.examples ? 'test' : 'train';
  };
  const classes = [...totals.keys()].filter((k) => totals[k]! > 0).sort((a, b) => totals[a]! - totals[b]! || a - b);
  for (const k of classes) {
    const own = labels[Math.floor(k / CLASSES.length)]!;
    const label = CLASSES[k % CLASSES.length]!;
    for (const { unit } of order) {
      if (unit.part === undefined && unit.members.some((i) => own[i] === label)) {
        assign(
          unit,
          lacking(({ classes: left }) => left[k]!),
        );
      }
    }
  }
  for (const { unit } of order) {
    if (unit.part !== undefined) continue;
    // Hard negatives test and do not train.
    const isHard = unit.members.some((i) => labels.some((own) => own[i] === LABEL.hardNegative));
    assign(unit, isHard ? 'test' : lacking(({ examples: left }) => left));
  }
}

function firstId({ members }: Unit, examples: readonly DomainExample[]): string {
  return members.map((i) => examples[i]!.id).reduce((a, b) => (a < b ? a : b));
}
