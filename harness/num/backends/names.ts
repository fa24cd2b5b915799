/**
 * @file The backends by name, in the order of choice on a CPU; one whose device is here comes first (`mayLead`). Flags, config keys and
 * `saxbench doctor` derive from this list.
 */

export const BACKEND_NAMES = ['native', 'tensorflow', 'wasm', 'cpu', 'webgpu'] as const;

export type BackendName = (typeof BACKEND_NAMES)[number];

/** A backend by name, or the first that starts. */
export const BACKEND_CHOICES = ['auto', ...BACKEND_NAMES] as const;

export type BackendChoice = (typeof BACKEND_CHOICES)[number];

/** Backends that an installation need not have. */
export const OPTIONAL: readonly string[] = ['tensorflow', 'webgpu'] satisfies BackendName[];

/** Backends that are used only where they are asked for by name: nobody has measured yet where they are faster. */
export const ON_REQUEST: readonly string[] = ['webgpu'] satisfies BackendName[];

/** Backends with threads of their own, which several threads of a run would make compete for the cores. */
export const OWN_THREADS: readonly string[] = ['tensorflow'] satisfies BackendName[];

/** Precisions that networks are computed in, and SAEs trained. */
export const PRECISIONS = ['float32', 'bf16'] as const;

/** `bf16`: products of large layers take both factors in bfloat16 and sum in float32; parameters and all else stay float32. */
export type Precision = (typeof PRECISIONS)[number];
