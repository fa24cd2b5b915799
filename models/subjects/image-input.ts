/** @file From image files to a subject's pixels, by its folder's preprocessor. */
import { join } from 'node:path';
import { type RawImage, type Tensor4D, tf, UserError } from '../../harness/contract.ts';
import {
  decodeImage,
  fittedSize,
  type ImagePreprocessing,
  loadImagePreprocessing,
  type ProcessorKind,
  preprocessImages,
} from '../../harness/kit/index.ts';

/** How images become pixels. */
export interface ImageInput {
  /** Width and height of what comes out, where the steps decide it. */
  size?: number;
  /** Pixels [n, size, size, 3]. @throws UserError where images come out otherwise. */
  preprocess(images: (RawImage | { path: string })[], size: number): Promise<Tensor4D>;
}

/**
 * Reads a folder's preprocessor.
 *
 * @param kind Whose defaults hold for what its `preprocessor_config.json` leaves out, where it does not say so itself.
 * @param given Steps that come from elsewhere, in place of that file.
 */
export async function openImageInput(
  folder: string,
  kind: ProcessorKind,
  given?: ImagePreprocessing,
): Promise<ImageInput> {
  const steps = given ?? (await loadImagePreprocessing(folder, kind));
  const fitted = fittedSize(steps);
  if (fitted && fitted.height !== fitted.width) throw wrongSize(folder, 'square ones', fitted);
  return {
    ...(fitted ? { size: fitted.width } : {}),
    async preprocess(images, size) {
      const decoded = await Promise.all(images.map((image) => ('path' in image ? decodeImage(image.path) : image)));
      const { data, shape } = preprocessImages(decoded, steps, 'nhwc');
      const [, height, width] = shape;
      if (images.length > 0 && (height !== size || width !== size)) {
        throw wrongSize(folder, `${size} x ${size}, as config.json says`, { height, width });
      }
      return tf.tensor4d(data, [images.length, size, size, 3]);
    },
  };
}

const wrongSize = (folder: string, expected: string, { height, width }: { height: number; width: number }) =>
  new UserError(
    `subject ${join(folder, 'preprocessor_config.json')}: expected images of ${expected}, found ${width} x ${height}.`,
  );
