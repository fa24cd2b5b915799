/** @file Texts that are nearly the same: runs of words in common, found by MinHash and counted exactly. */

/** Words of a run. Five in a row are rarely the same by chance. */
const RUN = 5;
/** Share of the runs of two texts that both have, from which on they are nearly the same. */
const NEAR = 0.7;
/** Hashes of a text in groups: texts that agree in one group are compared; of those 70 % alike, all but one in 10^4 do. */
const [BANDS, ROWS] = [32, 4];
/** Texts of one band that each text is compared with: forms and templates agree by the thousand. */
const MOST_COMPARED = 64;

function hashOf(word: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < word.length; i++) hash = Math.imul(hash ^ word.charCodeAt(i), 0x01000193);
  return hash;
}

/** The runs of words of a text, each as a number. */
function runsOf(key: string): Set<number> {
  const words = key.split(' ').map(hashOf);
  const runs = new Set<number>();
  for (let from = 0; from === 0 || from + RUN <= words.length; from++) {
    const hash = words.slice(from, from + RUN).reduce((all, word) => Math.imul(all ^ word, 0x01000193), 0);
    runs.add(hash >>> 0);
  }
  return runs;
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

/** The runs of texts by place, of those lately asked for: of all texts of a large domain they take gigabytes. */
function recentRuns(keys: readonly string[]): (place: number) => ReadonlySet<number> {
  const held = new Map<number, Set<number>>();
  return (place) => {
    const own = held.get(place) ?? runsOf(keys[place]!);
    held.set(place, own);
    // A text and those that it is compared with.
    if (held.size > MOST_COMPARED + 1) held.delete(held.keys().next().value!);
    return own;
  };
}

/**
 * Pairs of places of texts that are nearly the same, and not the same, where one is in `part` and the other not.
 *
 * @param keys Texts as they are compared; see `contentKey`.
 */
export function nearCopies(keys: readonly string[], inPart: (place: number) => boolean): [number, number][] {
  const found = new Map<string, [number, number]>();
  const hashes = BANDS * ROWS;
  const signatures = new Uint32Array(keys.length * hashes).fill(0xffffffff);
  keys.forEach((key, place) => {
    const least = signatures.subarray(place * hashes, (place + 1) * hashes);
    for (const run of runsOf(key)) for (let k = 0; k < hashes; k++) least[k] = Math.min(least[k]!, mixed(run, k));
  });
  const runs = recentRuns(keys);
  for (let band = 0; band < BANDS; band++) {
    const buckets = new Map<string, number[]>();
    keys.forEach((_, place) => {
      const at = place * hashes + band * ROWS;
      const name = signatures.subarray(at, at + ROWS).join();
      const bucket = buckets.get(name);
      if (bucket) bucket.push(place);
      else buckets.set(name, [place]);
    });
    for (const bucket of buckets.values()) {
      bucket.forEach((a, i) => {
        for (const b of bucket.slice(i + 1, i + 1 + MOST_COMPARED)) {
          if (inPart(a) === inPart(b) || keys[a] === keys[b] || found.has(`${a} ${b}`)) continue;
          if (alike(runs(a), runs(b)) >= NEAR) found.set(`${a} ${b}`, [a, b]);
        }
      });
    }
  }
  return [...found.values()].sort((x, y) => x[0] - y[0] || x[1] - y[1]);
}
