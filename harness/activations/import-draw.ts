/** @file Which imported items serve what: disjoint parts, drawn by a seed, stratified by class, groups kept whole. */
import { createRng } from '../num/rng.ts';
import type { ImportGroups } from './import-groups.ts';
import type { ImportedSplit } from './import-labels.ts';

/** Where an item serves. */
export type Role = 'corpus train' | 'corpus test' | 'concepts train' | 'concepts eval';

/** Raised when the same items would be drawn otherwise; part of the dataset's fingerprint. */
export const DRAW_VERSION = 3;

export interface DrawNeeds {
  /** Seed of the draw. */
  seed: number;
  /** Held-out items that are wanted; what is left over is trained on. */
  test: number;
  /** Items of class `c` that concepts want in each split. */
  perClass(c: number): number;
}

export interface DrawnItems {
  n: number;
  /** Number of classes; 0 without labels. */
  classes: number;
  /** Class of each item; −1: none. */
  classOf: Int32Array;
  groups: ImportGroups;
  split?: ImportedSplit;
}

export interface Draw {
  /** Items of each role, in an order whose every beginning has the classes in the shares of the whole. */
  pools: Record<Role, number[]>;
  /** Items of a given training split whose copy or group lies in its test split. */
  straddling: number;
}

/** Shares of the items of a class, with and without labels. The last role takes what is left. */
const SHARES = {
  labelled: { 'concepts eval': 0.21, 'concepts train': 0.26, 'corpus test': 0.14, 'corpus train': 0.39 },
  unlabelled: { 'corpus test': 0.35, 'corpus train': 0.65 },
  /** Of a given split's parts. */
  train: { 'concepts train': 0.4, 'corpus train': 0.6 },
  test: { 'concepts eval': 0.6, 'corpus test': 0.4 },
} as const satisfies Record<string, Partial<Record<Role, number>>>;

/** Items of each unit, units in the order of `order`. */
function membersOf(order: Iterable<number>, unitOf: Uint32Array): Map<number, number[]> {
  const members = new Map<number, number[]>();
  for (const item of order) {
    const unit = members.get(unitOf[item]!);
    if (unit) unit.push(item);
    else members.set(unitOf[item]!, [item]);
  }
  return members;
}

/**
 * Gives every unit one role: that which lacks most of its share of the unit's classes and of the whole (iterative
 * stratification, Sechidis et al. 2011), the largest units first. Single items are split by class to within an item.
 */
function allocate(
  units: readonly number[][],
  classOf: (item: number) => number,
  classes: number,
  shares: Partial<Record<Role, number>>,
): Map<Role, number[][]> {
  const counts = new Float64Array(classes + 1);
  for (const unit of units) for (const item of unit) counts[classOf(item)]!++;
  const total = counts.reduce((sum, count) => sum + count, 0);
  const roles = Object.entries(shares).map(([role, share]) => {
    // Items without a class are of no use to concepts.
    const useless = role.startsWith('concepts') ? classes : -1;
    const left = counts.map((count, c) => (c === useless ? 0 : share * count));
    return { role: role as Role, useless, left, leftInAll: left.reduce((a, b) => a + b, 0), units: [] as number[][] };
  });
  for (const unit of [...units].sort((a, b) => b.length - a.length)) {
    let best = roles.at(-1)!;
    let most = -Infinity;
    for (const role of roles) {
      let lack = 0;
      let useful = 0;
      for (const item of unit) {
        const c = classOf(item);
        if (c === role.useless) continue;
        lack += role.left[c]! / counts[c]!;
        useful++;
      }
      const score = lack / useful + role.leftInAll / total;
      if (useful > 0 && score > most) [best, most] = [role, score];
    }
    best.units.push(unit);
    best.leftInAll -= unit.length;
    for (const item of unit) best.left[classOf(item)]!--;
  }
  return new Map(roles.map(({ role, units: own }) => [role, own]));
}

/** The items in an order whose every beginning has each class in its share; within a class as they come. */
function interleaved(items: readonly number[], classOf: (item: number) => number, classes: number): number[] {
  const counts = new Float64Array(classes + 1);
  for (const item of items) counts[classOf(item)]!++;
  const seen = new Float64Array(classes + 1);
  const placed = items.map((item) => {
    const c = classOf(item);
    return { item, at: (seen[c]!++ + 0.5) / counts[c]! };
  });
  return placed.sort((a, b) => a.at - b.at).map(({ item }) => item);
}

/**
 * Draws the roles. What is reserved for concepts and tests beyond their needs is trained on; a smaller need reserves a
 * part of what a larger one does, so that an SAE trained under the larger has seen nothing that the smaller tests on.
 * Tests and concepts hold one of several identical items, training all of them.
 */
export function drawItems({ n, classes, classOf: given, groups, split }: DrawnItems, needs: DrawNeeds): Draw {
  const { firstOf, unitOf } = groups;
  const classOf = (item: number) => (given[item]! < 0 ? classes : given[item]!);
  const tested = new Set<number>();
  for (const [item, part] of split?.entries() ?? []) if (part === 'test') tested.add(unitOf[item]!);
  const straddles = (item: number) => split?.[item] === 'train' && tested.has(unitOf[item]!);
  const order = [...createRng(needs.seed).fork('import draw').permutation(n)].filter((item) => !straddles(item));
  // One of several identical items stands for all of them; which one, the draw decides.
  const standing = new Map<number, number>();
  for (const item of order) if (!standing.has(firstOf[item]!)) standing.set(firstOf[item]!, item);
  const isCopy = (item: number) => standing.get(firstOf[item]!) !== item;

  const members = membersOf(order, unitOf);
  const distinct = [...members.values()].map((unit) => unit.filter((item) => !isCopy(item)));
  const allocated = new Map<Role, number[][]>();
  const allot = (units: number[][], shares: Partial<Record<Role, number>>) => {
    for (const [role, own] of allocate(units, classOf, classes, shares)) allocated.set(role, own);
  };
  if (split) {
    allot(
      distinct.filter(([item]) => !tested.has(unitOf[item!]!)),
      SHARES.train,
    );
    allot(
      distinct.filter(([item]) => tested.has(unitOf[item!]!)),
      SHARES.test,
    );
  } else allot(distinct, classes > 0 ? SHARES.labelled : SHARES.unlabelled);

  const pools: Draw['pools'] = { 'corpus train': [], 'corpus test': [], 'concepts train': [], 'concepts eval': [] };
  /** Keeps what a role needs; units of which nothing is kept go to `rest`. */
  const reserve = (role: Role, rest: 'corpus train' | 'corpus test', needed: (items: number[]) => number[]) => {
    const units = allocated.get(role) ?? [];
    pools[role] = needed(units.flat());
    // Tests of a given split have nowhere else to go: they may not be trained on.
    if (rest === role) return;
    const kept = new Set(pools[role].map((item) => unitOf[item]!));
    for (const unit of units) if (!kept.has(unitOf[unit[0]!]!)) allocated.get(rest)!.push(unit);
  };
  const forConcepts = (items: number[]) => {
    const taken = new Float64Array(classes);
    return items.filter((item) => given[item]! >= 0 && taken[given[item]!]!++ < needs.perClass(given[item]!));
  };
  reserve('concepts train', 'corpus train', forConcepts);
  reserve('concepts eval', split ? 'corpus test' : 'corpus train', forConcepts);
  const forTests = (items: number[]) => interleaved(items, classOf, classes).slice(0, needs.test);
  reserve('corpus test', split ? 'corpus test' : 'corpus train', forTests);
  const trained = allocated.get('corpus train')!.flatMap(([item]) => members.get(unitOf[item!]!)!);
  pools['corpus train'] = interleaved(trained, classOf, classes);
  return { pools, straddling: n - order.length };
}
