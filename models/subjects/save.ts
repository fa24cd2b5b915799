/** @file Writing a subject's folder in Hugging Face layout. */
import { join } from 'node:path';
import { type NamedTensors, tf } from '../../harness/contract.ts';
import { atomicWrite, canonicalJson, writeSafetensors } from '../../harness/kit/index.ts';
import { type FileLayout, packParams } from './weights.ts';

/** What a subject's folder holds beside the weights; each field becomes the JSON file of that name. */
export interface SubjectFiles {
  config: Record<string, unknown>;
  tokenizer?: Record<string, unknown>;
  tokenizer_config?: Record<string, unknown>;
  preprocessor_config?: Record<string, unknown>;
}

/**
 * Writes `model.safetensors` and the JSON files into `folder`, which is made where it does not exist. Parameters carry
 * Hugging Face names; they stay the caller's. The same values give the same bytes.
 *
 * @param dtype Type of the weights in the file; F16 and BF16 round to nearest even.
 * @param layout How the family's files hold linear layers (`causalLmFiles`), where otherwise than the parameters.
 * @throws UserError when the folder cannot be written.
 */
export async function saveSubject(
  folder: string,
  params: NamedTensors,
  files: SubjectFiles,
  dtype: 'F32' | 'F16' | 'BF16' = 'F32',
  layout?: FileLayout,
): Promise<void> {
  const tensors: Parameters<typeof writeSafetensors>[1] = {};
  const stored = packParams(params, layout);
  for (const [name, tensor] of Object.entries(stored)) {
    Object.assign(tensors, { [name]: { dtype, shape: tensor.shape, data: (await tensor.data()) as Float32Array } });
  }
  tf.dispose(stored);
  await writeSafetensors(join(folder, 'model.safetensors'), tensors, { format: 'pt' });
  for (const [name, json] of Object.entries(files)) {
    if (json === undefined) continue;
    const text = `${canonicalJson(json, 2)}\n`;
    await atomicWrite(join(folder, `${name}.json`), (handle) => handle.writeFile(text));
  }
}
