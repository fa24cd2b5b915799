/**
 * @file Gradients of decoders and encoders that stay unmade: sums of rows by latent. The optimiser makes them row by row, or by
 * blocks of columns, on its way (SaxAdam); for everybody else they are made when they are first read.
 */
import type * as Tf from '@tensorflow/tfjs-core';
import type { Addon, Values } from '../addon.ts';
import type { NativeBackend, Unmade } from '../backend.ts';
import type { Context } from '../registry.ts';

/** Row f of the matrix is Σ values[i, j] · x[i] over all (i, j) with indices[i, j] = f. */
export interface SumsSources {
  /** [n, d] */
  x: Tf.TensorInfo;
  /** [n, k] */
  values: Tf.TensorInfo;
  /** int32 [n, k] */
  indices: Tf.TensorInfo;
}

/** A matrix [features, d], or with `columns` its transpose. */
export class SparseSums implements Unmade {
  /** Whether it is the transpose. */
  readonly columns: boolean;
  /** n, k, features and d. */
  readonly sizes: number[];
  /** Width of the rows that an optimiser gets whole, one after another; a transpose has none. */
  readonly rowWidth: number | undefined;
  private readonly addon: Addon;
  private readonly backend: NativeBackend;
  private readonly held: Tf.Tensor[];

  constructor(
    { addon, tf }: Context,
    backend: NativeBackend,
    { x, values, indices }: SumsSources,
    sizes: [n: number, k: number, features: number, d: number],
    columns: boolean,
  ) {
    this.addon = addon;
    this.backend = backend;
    this.columns = columns;
    this.sizes = sizes;
    this.rowWidth = columns ? undefined : sizes[3];
    this.held = [x, values, indices].map((info) => {
      backend.incRef(info.dataId);
      return tf.keep(tf.engine().makeTensorFromTensorInfo(info, backend));
    });
  }

  /** x, values and indices. */
  get arrays(): Values[] {
    return this.held.map((tensor) => this.backend.valuesOf(tensor));
  }

  make(): Values {
    const { sizes, arrays } = this;
    const out = this.backend.arrays.take('float32', sizes[2]! * sizes[3]!);
    this.addon.params.set(sizes);
    (this.columns ? this.addon.sparseOuterColumns : this.addon.sparseOuter)(out, ...arrays);
    return out;
  }

  release(): void {
    for (const tensor of this.held) tensor.dispose();
  }
}
