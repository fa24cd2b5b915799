/** @file A state that holds while something runs, for code far below it. */

export interface Scope {
  /** Runs `compute` within. */
  within<T>(compute: () => T): T;
  isOpen(): boolean;
}

/** A scope that is left as it was found, also by an error; not for what goes on after `compute` returned. */
export function createScope(): Scope {
  let open = false;
  return {
    within(compute) {
      const before = open;
      open = true;
      try {
        return compute();
      } finally {
        open = before;
      }
    },
    isOpen: () => open,
  };
}
