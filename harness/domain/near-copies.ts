/** @file Texts that are nearly the same: runs of words in common, found by MinHash and counted exactly. */

/** Words of a run. Five in a row are rarely the same by chance. */
const RUN = 5;
/** Share of the runs of two texts that both have, from which on they are nearly the same. */
const NEAR = 0.7;
/** Hashes of a text in groups: texts that agree in one group are compared; of those 70 % alike, all but one in 10^4 do. */
const [BANDS, ROWS] = [32, 4];
/** Texts of one band that each text is compared with: forms and templates agree by the thousand. */
const MOST_COMPARED = 64;

function hashOf(words: readonly string[]): number {
  let hash = 0x811c9dc5;
  for (const word of words) {
    for (let i = 0; i < word.length; i++) hash = Math.imul(hash ^ word.charCodeAt(i), 0x01000193);
    hash = Math.imul(hash ^ 32, 0x01000193);
  }
  return hash >>> 0;
}

/** The runs of words of a text, each as a number. */
function runsOf(key: string): Set<number> {
  const words = key.split(' ');
  const count = Math.max(1, words.length - RUN + 1);
  return new Set(Array.from({ length: count }, (_, i) => hashOf(words.slice(i, i + RUN))));
}

/** Mixes a run's number with that of a hash function (Murmur3's last steps). */
function mixed(value: number, k: number): number {
  let hash = Math.imul(value ^ Math.imul(k + 1, 0x9e3779b1), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function alike(a: ReadonlySet<number>, b: ReadonlySet<number>): number {
  let both = 0;
  for (const run of a) if (b.has(run)) both++;
  return both / (a.size + b.size - both);
}

/**
 * Pairs of places of texts that are nearly the same, and not the same, where one is in `part` and the other not.
 *
 * @param keys Texts as they are compared; see `contentKey`.
 */
export function nearCopies(keys: readonly string[], inPart: (place: number) => boolean): [number, number][] {
  const runs = keys.map(runsOf);
  const found = new Map<string, [number, number]>();
  const signatures = runs.map((own) => {
    const least = new Uint32Array(BANDS * ROWS).fill(0xffffffff);
    for (const run of own) for (let k = 0; k < least.length; k++) least[k] = Math.min(least[k]!, mixed(run, k));
    return least;
  });
  for (let band = 0; band < BANDS; band++) {
    const buckets = new Map<string, number[]>();
    signatures.forEach((signature, place) => {
      const name = signature.subarray(band * ROWS, (band + 1) * ROWS).join();
      const bucket = buckets.get(name);
      if (bucket) bucket.push(place);
      else buckets.set(name, [place]);
    });
    for (const bucket of buckets.values()) {
      bucket.forEach((a, i) => {
        for (const b of bucket.slice(i + 1, i + 1 + MOST_COMPARED)) {
          if (inPart(a) === inPart(b) || keys[a] === keys[b] || found.has(`${a} ${b}`)) continue;
          if (alike(runs[a]!, runs[b]!) >= NEAR) found.set(`${a} ${b}`, [a, b]);
        }
      });
    }
  }
  return [...found.values()].sort((x, y) => x[0] - y[0] || x[1] - y[1]);
}
