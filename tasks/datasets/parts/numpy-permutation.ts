/** @file numpy's `RandomState(seed).permutation(n)`, which AxBench draws its instructions by: MT19937 and numpy's own shuffle. */

const N = 624;
const M = 397;

/** 32-bit words of MT19937 seeded by one integer (`init_genrand`), as numpy's legacy generator is. */
function mersenneTwister(seed: number): () => number {
  const state = new Uint32Array(N);
  state[0] = seed;
  for (let i = 1; i < N; i++) {
    const last = state[i - 1]! ^ (state[i - 1]! >>> 30);
    state[i] = Math.imul(1812433253, last) + i;
  }
  let at = N;
  const refill = () => {
    for (let i = 0; i < N; i++) {
      const y = (state[i]! & 0x80000000) | (state[(i + 1) % N]! & 0x7fffffff);
      state[i] = state[(i + M) % N]! ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    at = 0;
  };
  return () => {
    if (at === N) refill();
    let y = state[at++]!;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  };
}

/** The order of 0 … n − 1, as numpy gives it for a seed from 0 to 2³² − 1. */
export function numpyPermutation(seed: number, n: number): number[] {
  const next = mersenneTwister(seed);
  const order = Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    // As many low bits as i has, drawn again while they say more than i.
    const mask = 2 ** Math.ceil(Math.log2(i + 1)) - 1;
    let j = next() & mask;
    while (j > i) j = next() & mask;
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}
