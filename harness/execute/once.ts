/** @file Values that are made once and kept as long as their owner keeps the function that holds them. */

/** Gives what `make` gave when it was first called for `key`; a failure too is every asker's. */
export type Once = <T>(key: unknown, make: () => Promise<T>) => Promise<T>;

/** A new, empty holder. Keys are compared by identity. */
export function createOnce(): Once {
  const made = new Map<unknown, Promise<unknown>>();
  return <T>(key: unknown, make: () => Promise<T>): Promise<T> => {
    if (!made.has(key)) made.set(key, make());
    return made.get(key) as Promise<T>;
  };
}
