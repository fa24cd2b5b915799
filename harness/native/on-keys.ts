/** @file A WeakMap that keeps its values on the keys themselves. */

/**
 * For keys that are plain objects of nobody else's: tfjs looks its tensors' data up in weak maps several times a kernel, and
 * makes and drops an entry with every tensor, which costs as much as a small kernel itself. An entry of undefined counts as
 * none.
 */
export class OnKeys<K extends object, V> extends WeakMap<K, V> {
  readonly #slot = Symbol('value');

  #of(key: K): Record<symbol, V | undefined> {
    return key as Record<symbol, V | undefined>;
  }

  override has(key: K): boolean {
    return this.#of(key)[this.#slot] !== undefined;
  }

  override get(key: K): V | undefined {
    return this.#of(key)[this.#slot];
  }

  override set(key: K, value: V): this {
    this.#of(key)[this.#slot] = value;
    return this;
  }

  override delete(key: K): boolean {
    const there = this.has(key);
    // Not the delete operator, after which an object is slow for good.
    if (there) this.#of(key)[this.#slot] = undefined;
    return there;
  }
}
