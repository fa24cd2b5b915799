/** @file The backends by name, in the order of choice: flags, config keys and `saxbench doctor` derive from this list. */

export const BACKEND_NAMES = ['tensorflow', 'native', 'wasm', 'cpu'] as const;

export type BackendName = (typeof BACKEND_NAMES)[number];

/** A backend by name, or the first that starts. */
export const BACKEND_CHOICES = ['auto', ...BACKEND_NAMES] as const;

export type BackendChoice = (typeof BACKEND_CHOICES)[number];

/** Backends that an installation need not have. */
export const OPTIONAL: readonly string[] = ['tensorflow'] satisfies BackendName[];

/** Backends with threads of their own, which several threads of a run would make compete for the cores. */
export const OWN_THREADS: readonly string[] = ['tensorflow'] satisfies BackendName[];
