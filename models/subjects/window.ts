/** @file Which layers of a model have a window of attention, by its config. */
import type { ConfigReader } from './config.ts';
import type { AttentionWindow } from './stack-spec.ts';

/**
 * Reads `layer_types`, which newer files have.
 *
 * @param size Columns that a query sees in a layer with a window; absent where the config has none.
 * @param usual Whether a layer has a window where the config lists no types.
 * @throws UserError for other types, or a window without a size.
 */
export function readWindow(
  config: ConfigReader,
  layers: number,
  size: number | undefined,
  usual: (layer: number) => boolean,
): AttentionWindow | undefined {
  const types = config.names('layer_types', ['full_attention', 'sliding_attention'], layers);
  const inside = types ? (layer: number) => types[layer] === 'sliding_attention' : usual;
  if (!Array.from({ length: layers }, (_, layer) => layer).some(inside)) return undefined;
  if (size === undefined)
    throw config.wrong('sliding_window', 'a size, since layers have a window (sliding_attention)');
  return { size, in: inside };
}
