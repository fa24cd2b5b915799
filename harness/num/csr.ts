/** @file Compressed sparse rows: how latent codes are kept in evaluation. */

/**
 * Codes of `n` items over `d_sae` latents. Row i holds columns `indices[indptr[i] .. indptr[i+1])`, ascending, each at
 * most once, with `values` that are not 0.
 */
export interface Csr {
  n: number;
  d_sae: number;
  /** [n + 1] */
  indptr: Uint32Array;
  /** [nnz] latents */
  indices: Uint32Array;
  /** [nnz] */
  values: Float32Array;
}

/** The same codes by latent: latent f fires at items `indices[indptr[f] .. indptr[f+1])`, ascending. */
export interface Csc {
  n: number;
  d_sae: number;
  /** [d_sae + 1] */
  indptr: Uint32Array;
  /** [nnz] items */
  indices: Uint32Array;
  /** [nnz] */
  values: Float32Array;
}

/** From dense row-major codes [n, d_sae]; zeros are dropped. */
export function csrFromDense(dense: Float32Array, n: number, d_sae: number): Csr {
  if (dense.length !== n * d_sae) throw new RangeError(`csr: ${dense.length} values are not [${n}, ${d_sae}]`);
  const indptr = new Uint32Array(n + 1);
  let nnz = 0;
  for (let i = 0; i < n; i++) {
    for (let j = i * d_sae; j < (i + 1) * d_sae; j++) if (dense[j] !== 0) nnz++;
    indptr[i + 1] = nnz;
  }
  const indices = new Uint32Array(nnz);
  const values = new Float32Array(nnz);
  let at = 0;
  for (let i = 0; i < n; i++) {
    for (let f = 0; f < d_sae; f++) {
      const value = dense[i * d_sae + f]!;
      if (value === 0) continue;
      indices[at] = f;
      values[at++] = value;
    }
  }
  return { n, d_sae, indptr, indices, values };
}

/**
 * From k-sparse codes [n, k] in any order; zeros are dropped and each row is sorted by latent.
 *
 * @throws RangeError when an index is out of range or appears twice in a row with non-zero values
 */
export function csrFromTopk(
  indices: ArrayLike<number>,
  values: ArrayLike<number>,
  n: number,
  k: number,
  d_sae: number,
): Csr {
  const csr = unsortedFromTopk(indices, values, n, k, d_sae);
  for (let i = 0; i < n; i++) sortRow(csr, csr.indptr[i]!, csr.indptr[i + 1]!);
  return csr;
}

/** By insertion: rows are short, and top-k rows of a trained dictionary are nearly random in latent order. */
function sortRow({ indices, values }: Csr, start: number, end: number): void {
  for (let j = start + 1; j < end; j++) {
    const [index, value] = [indices[j]!, values[j]!];
    let at = j;
    for (; at > start && indices[at - 1]! > index; at--) {
      indices[at] = indices[at - 1]!;
      values[at] = values[at - 1]!;
    }
    indices[at] = index;
    values[at] = value;
  }
}

/** As {@link csrFromTopk}, with each row in the order given: for sums and maxima, which need no other. */
export function unsortedFromTopk(
  indices: ArrayLike<number>,
  values: ArrayLike<number>,
  n: number,
  k: number,
  d_sae: number,
): Csr {
  if (indices.length !== n * k || values.length !== n * k) {
    throw new RangeError(`csr: ${indices.length} indices and ${values.length} values are not [${n}, ${k}]`);
  }
  const indptr = new Uint32Array(n + 1);
  const outIndices = new Uint32Array(n * k);
  const outValues = new Float32Array(n * k);
  /** One more than the last row that each latent was met in. */
  const met = new Uint32Array(d_sae);
  let nnz = 0;
  for (let i = 0; i < n; i++) {
    for (let j = i * k; j < (i + 1) * k; j++) {
      const [index, value] = [indices[j]!, values[j]!];
      if (!(index >= 0 && index < d_sae)) throw new RangeError(`csr: row ${i} has latent ${index} of ${d_sae}`);
      if (value === 0) continue;
      if (met[index] === i + 1) throw new RangeError(`csr: row ${i} has latent ${index} twice`);
      met[index] = i + 1;
      outIndices[nnz] = index;
      outValues[nnz++] = value;
    }
    indptr[i + 1] = nnz;
  }
  return { n, d_sae, indptr, indices: outIndices.slice(0, nnz), values: outValues.slice(0, nnz) };
}

/** Rows of all parts, in order. All must have the same d_sae; at least one part. */
export function csrConcat(parts: readonly Csr[]): Csr {
  const d_sae = parts[0]!.d_sae;
  const odd = parts.find((part) => part.d_sae !== d_sae);
  if (odd) throw new RangeError(`csr: cannot join d_sae ${odd.d_sae} to ${d_sae}`);
  const n = parts.reduce((sum, part) => sum + part.n, 0);
  const nnz = parts.reduce((sum, part) => sum + part.indptr[part.n]!, 0);
  const indptr = new Uint32Array(n + 1);
  const indices = new Uint32Array(nnz);
  const values = new Float32Array(nnz);
  let [row, at] = [0, 0];
  for (const part of parts) {
    for (let i = 1; i <= part.n; i++) indptr[row + i] = at + part.indptr[i]!;
    indices.set(part.indices, at);
    values.set(part.values, at);
    row += part.n;
    at += part.indptr[part.n]!;
  }
  return { n, d_sae, indptr, indices, values };
}

/** Rows [from, to), as views of the same numbers. */
export function csrSlice(csr: Csr, from: number, to: number): Csr {
  if (!(from >= 0 && from <= to && to <= csr.n)) throw new RangeError(`csr: rows [${from}, ${to}) of ${csr.n}`);
  const [start, end] = [csr.indptr[from]!, csr.indptr[to]!];
  return {
    n: to - from,
    d_sae: csr.d_sae,
    indptr: csr.indptr.slice(from, to + 1).map((at) => at - start),
    indices: csr.indices.subarray(start, end),
    values: csr.values.subarray(start, end),
  };
}

/** The chosen rows, in the order given. */
export function csrRows(csr: Csr, rows: Uint32Array): Csr {
  const indptr = new Uint32Array(rows.length + 1);
  rows.forEach((row, i) => {
    indptr[i + 1] = indptr[i]! + csr.indptr[row + 1]! - csr.indptr[row]!;
  });
  const indices = new Uint32Array(indptr[rows.length]!);
  const values = new Float32Array(indptr[rows.length]!);
  rows.forEach((row, i) => {
    indices.set(csr.indices.subarray(csr.indptr[row]!, csr.indptr[row + 1]!), indptr[i]!);
    values.set(csr.values.subarray(csr.indptr[row]!, csr.indptr[row + 1]!), indptr[i]!);
  });
  return { n: rows.length, d_sae: csr.d_sae, indptr, indices, values };
}

/** By latent instead of by item, in linear time. */
export function csrToCsc(csr: Csr): Csc {
  const { n, d_sae } = csr;
  const indptr = new Uint32Array(d_sae + 1);
  for (const f of csr.indices) indptr[f + 1]!++;
  for (let f = 0; f < d_sae; f++) indptr[f + 1]! += indptr[f]!;
  const next = indptr.slice(0, d_sae);
  const indices = new Uint32Array(csr.indices.length);
  const values = new Float32Array(csr.indices.length);
  for (let i = 0; i < n; i++) {
    for (let j = csr.indptr[i]!; j < csr.indptr[i + 1]!; j++) {
      const at = next[csr.indices[j]!]!++;
      indices[at] = i;
      values[at] = csr.values[j]!;
    }
  }
  return { n, d_sae, indptr, indices, values };
}

/** Dense row-major [n, d_sae]. For small parts: a whole evaluation set does not fit. */
export function csrToDense(csr: Csr): Float32Array {
  const dense = new Float32Array(csr.n * csr.d_sae);
  for (let i = 0; i < csr.n; i++) {
    for (let j = csr.indptr[i]!; j < csr.indptr[i + 1]!; j++) dense[i * csr.d_sae + csr.indices[j]!] = csr.values[j]!;
  }
  return dense;
}
