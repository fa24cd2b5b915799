/** @file The grid of patches that a vision config asks for. */
import type { ConfigReader } from './config.ts';

/**
 * Size of images and patches, both square.
 *
 * @throws UserError for patches that do not fill an image, and for images that are not of three channels.
 */
export function gridOf(
  config: ConfigReader,
  defaults: { imageSize: number; patchSize: number },
): { imageSize: number; patchSize: number } {
  const imageSize = config.size('image_size', defaults.imageSize);
  const patchSize = config.size('patch_size', defaults.patchSize);
  if (imageSize % patchSize !== 0) throw config.wrong('image_size', `a multiple of patch_size (${patchSize})`);
  if (config.size('num_channels', 3) !== 3) throw config.wrong('num_channels', '3');
  return { imageSize, patchSize };
}
