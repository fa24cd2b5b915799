/** @file Reading GGUF files, llama.cpp's format: metadata at once, each tensor on demand, dequantised to float32. */
import { UserError } from '../errors.ts';
import { CHUNK_BYTES, readExactly } from './elements.ts';
import { DEQUANTISE } from './gguf-blocks.ts';
import { type GgufHeader, type GgufTensor, readGgufHeader } from './gguf-header.ts';
import { withFile } from './open-file.ts';

/** An opened file. */
export interface GgufFile extends GgufHeader {
  path: string;
  /**
   * All numbers of a tensor, row-major, bit-equal to ggml's reference dequantisation.
   * @throws UserError for an unknown name, a type that is not read here, a file that shrank.
   */
  read(name: string): Promise<Float32Array>;
}

/** Opens a file: reads and checks its header only. @throws UserError of {@link readGgufHeader} */
export async function openGguf(path: string): Promise<GgufFile> {
  const where = `gguf ${path}`;
  const header = await withFile('gguf', path, (handle) => readGgufHeader(handle, where));
  return {
    ...header,
    path,
    async read(name) {
      const tensor = header.tensors.get(name);
      if (!tensor) throw new UserError(`${where}: no tensor '${name}' among its ${header.tensors.size}.`);
      return readTensor(path, tensor, `${where}: tensor '${name}'`);
    },
  };
}

async function readTensor(path: string, { type, shape, start, end }: GgufTensor, where: string) {
  const dequantise = DEQUANTISE[type.name];
  if (!dequantise) {
    throw new UserError(
      `${where}: expected a type of ${Object.keys(DEQUANTISE).join(', ')}; found ${type.name}: take another ` +
        'quantisation of the model.',
    );
  }
  const out = new Float32Array(shape.reduce((product, size) => product * size, 1));
  const perChunk = Math.floor(CHUNK_BYTES / type.bytes);
  const blocks = (end - start) / type.bytes;
  const chunk = new Uint8Array(Math.min(blocks, perChunk) * type.bytes);
  await withFile('gguf', path, async (handle) => {
    for (let done = 0; done < blocks; done += perChunk) {
      const count = Math.min(perChunk, blocks - done);
      const bytes = chunk.subarray(0, count * type.bytes);
      await readExactly(handle, bytes, start + done * type.bytes, where);
      dequantise(bytes, count, out, done * type.block);
    }
  });
  return out;
}
