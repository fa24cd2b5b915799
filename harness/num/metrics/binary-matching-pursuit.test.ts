/** @file Binary matching pursuit: the algorithm by hand, against the published code's picks, and its invariants. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createRng } from '../rng.ts';
import { type BinaryAtom, binaryMatchingPursuit } from './binary-matching-pursuit.ts';

const test = suite('num/metrics/binary-matching-pursuit');

const atomsOf = (rows: string[]): BinaryAtom[] =>
  rows.map((row) => ({ items: [...row].flatMap((flag, i) => (flag === '1' ? [i] : [])) }));
const shownOf = (row: string) => Uint8Array.from(row, Number);
const HALF = { size: 3, beta: 0.5 };

test('an attribute that is split among two latents is found whole, a third that adds nothing is not taken', () => {
  const atoms = atomsOf(['00000011', '11000000', '00110000', '11110000', '11111100'].slice(0, 3));
  assert.equal(binaryMatchingPursuit(shownOf('11110000'), atoms, HALF), { atoms: [1, 2], f1: 1 });
  assert.equal(binaryMatchingPursuit(shownOf('11110000'), atoms, { size: 1, beta: 0.5 }).atoms, [1]);
});

test('β below 1 prefers what is precise: 0.5 begins with a part, 1 with the whole that has false alarms', () => {
  // Atom 0: 6 hits of 9; atom 1: 3 hits of 3, of 6 wanted. F1 .8 and .667; F0.5 .714 and .833.
  const atoms = atomsOf(['111111111000', '111000000000']);
  assert.equal(binaryMatchingPursuit(shownOf('111111000000'), atoms, { size: 1, beta: 1 }).atoms, [0]);
  assert.equal(binaryMatchingPursuit(shownOf('111111000000'), atoms, { size: 1, beta: 0.5 }).atoms, [1]);
  // Then the second step takes the other, whose union has the higher F1.
  assert.equal(binaryMatchingPursuit(shownOf('111111000000'), atoms, HALF).atoms, [1, 0]);
});

test('nothing is matched to what no latent meets, or no item shows', () => {
  assert.equal(binaryMatchingPursuit(shownOf('1100'), atomsOf(['0011', '0000']), HALF), { atoms: [], f1: 0 });
  assert.equal(binaryMatchingPursuit(shownOf('0000'), atomsOf(['0011']), HALF), { atoms: [], f1: 0 });
  assert.equal(binaryMatchingPursuit(shownOf('1100'), [], HALF), { atoms: [], f1: 0 });
});

/** Algorithm 1 word by word, on whole vectors. */
function algorithm1(y: number[], z: number[][], k: number, beta: number): number[] {
  const f = (a: number[], b: number[], weight: number) => {
    const tp = a.filter((flag, i) => flag && b[i]).length;
    const [fn, fp] = [a.filter((flag, i) => flag && !b[i]).length, b.filter((flag, i) => flag && !a[i]).length];
    return tp === 0 ? 0 : ((1 + weight ** 2) * tp) / ((1 + weight ** 2) * tp + weight ** 2 * fn + fp);
  };
  let [r, approximation] = [y, y.map(() => 0)];
  const chosen: number[] = [];
  for (let step = 0; step < k; step++) {
    const scores = z.map((atom) => f(r, atom, beta));
    const best = scores.indexOf(Math.max(...scores));
    const next = approximation.map((flag, i) => flag | z[best]![i]!);
    if (f(y, next, 1) <= f(y, approximation, 1)) break;
    chosen.push(best);
    r = r.map((flag, i) => (flag && !z[best]![i] ? 1 : 0));
    approximation = next;
  }
  return chosen;
}

test('equal to the algorithm on whole vectors, and latents in another order change nothing', () => {
  const rng = createRng('pursuit');
  for (let round = 0; round < 20; round++) {
    const draw = (share: number) => Array.from({ length: 997 }, () => (rng.uniform() < share ? 1 : 0));
    const y = draw(0.3);
    const z = Array.from({ length: 30 }, (_, l) =>
      draw(0.02 * (l + 1)).map((flag, i) => (l % 3 ? flag : flag & y[i]!)),
    );
    const atoms = z.map((row) => ({ items: row.flatMap((flag, i) => (flag ? [i] : [])) }));
    const found = binaryMatchingPursuit(y, atoms, HALF);
    assert.equal(found.atoms, algorithm1(y, z, 3, 0.5));
    const order = [...rng.permutation(30)];
    const moved = binaryMatchingPursuit(
      y,
      order.map((l) => atoms[l]!),
      HALF,
    );
    assert.equal(
      moved.atoms.map((l) => order[l]),
      found.atoms,
    );
  }
});

test.run();
