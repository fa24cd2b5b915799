/** @file Which of a folder's files hold its weights: safetensors, else PyTorch's. */

/** Whole, in shards by an index, or none; `candidates` where several could be meant. */
export type WeightFiles =
  | { format: 'safetensors' | 'torch'; file: string }
  | { format: 'safetensors' | 'torch'; index: string }
  | { candidates: string[] };

/** PyTorch files of a training's state, which lie beside weights. */
const STATE = /^(training_args|optimizer|scheduler|rng_state|scaler|random_states)\b/;

/** The name that OpenCLIP gives its weights. */
const OPEN_CLIP = 'open_clip_model.safetensors';

const SAFETENSORS = /\.safetensors$/;
const TORCH = /\.(bin|pt|pth)$/;

const isTorch = (file: string) => TORCH.test(file) && !STATE.test(file);

/**
 * What the names of a folder's files say of its weights: `model.safetensors`, else `model.safetensors.index.json`, else
 * OpenCLIP's, else the only .safetensors; where there is none of that kind, `pytorch_model.bin`, its index, or the only .bin, .pt or .pth.
 */
export function weightFiles(files: readonly string[]): WeightFiles {
  for (const [format, whole, index, matches] of [
    ['safetensors', 'model.safetensors', 'model.safetensors.index.json', (file: string) => SAFETENSORS.test(file)],
    ['torch', 'pytorch_model.bin', 'pytorch_model.bin.index.json', isTorch],
  ] as const) {
    if (files.includes(whole)) return { format, file: whole };
    if (files.includes(index)) return { format, index };
    if (format === 'safetensors' && files.includes(OPEN_CLIP)) return { format, file: OPEN_CLIP };
    const candidates = files.filter(matches).sort();
    if (candidates.length === 1) return { format, file: candidates[0]! };
    if (candidates.length > 1) return { candidates };
  }
  return { candidates: [] };
}

/** Whether a file may hold weights in PyTorch's format, which are read where there are no safetensors. */
export const isTorchWeights = (file: string): boolean => isTorch(file) || file === 'pytorch_model.bin.index.json';
