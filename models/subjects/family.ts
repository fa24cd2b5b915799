/** @file What families of every kind have in common: what a folder says of itself before its weights are loaded. */
import type { Plugin, Site, SubjectOutline } from '../../harness/contract.ts';
import { readModelConfig } from '../../harness/kit/index.ts';
import { type ConfigReader, configReader } from './config.ts';
import { checkWeights, countParameters, type FileLayout, type TensorShapes } from './weights.ts';

/** What a family's file says, of an architecture of type M. */
export interface Family<M> extends Plugin {
  /** Values of `model_type` in `config.json`. */
  modelTypes: string[];
  /** The architecture that a config describes. @throws UserError for a field that is impossible or not computed here. */
  read(config: ConfigReader): M;
}

/** What follows from an architecture. */
interface Parts<M> {
  sites: (model: M) => Site[];
  shapes: (model: M) => TensorShapes;
  files: (model: M) => FileLayout;
}

/**
 * Reads folders of a family: `describe` the config alone, `outline` with names and shapes of the weights checked.
 *
 * @param check Of what else a folder holds and `outline` can refuse.
 */
export function folderReader<M>(
  read: Family<M>['read'],
  parts: Parts<M>,
  check?: (folder: string) => Promise<unknown>,
) {
  async function describe(folder: string) {
    const { json, where } = await readModelConfig(folder);
    const model = read(configReader(json, where));
    const shapes = parts.shapes(model);
    const [sites, parameters] = [parts.sites(model), countParameters(shapes)];
    return { json, model, sites, parameters, shapes, files: parts.files(model) };
  }

  async function outline(folder: string): Promise<SubjectOutline> {
    const { sites, parameters, shapes, files } = await describe(folder);
    await checkWeights(folder, shapes, files);
    await check?.(folder);
    return { sites, parameters };
  }

  return { describe, outline };
}
