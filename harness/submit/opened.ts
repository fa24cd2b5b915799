/** @file What a path or a submission names, opened: a plug-in or a checkpoint as a method, with its files. */
import { basename, extname } from 'node:path';
import { localCheckpoint } from '../checkpoints/hub.ts';
import { openCheckpoint } from '../checkpoints/open.ts';
import type { Plugin } from '../contract/plugin.ts';
import { UserError } from '../errors.ts';
import { isOnHub } from '../io/hub-reference.ts';
import { loadPlugin } from '../plugins.ts';
import type { Registry } from '../registry.ts';
import type { SourceFile, Submission, SubmissionSource } from '../schema/submission.generated.ts';
import type { SuiteMethod } from '../schema/suite.generated.ts';
import { checkpointByName } from '../suite/checkpoint.ts';
import { methodName } from '../suite/load.ts';
import { checkpointFiles, type PluginFiles, pluginFiles } from './source.ts';

const PLUGIN_ENDINGS = ['.ts', '.mts', '.js', '.mjs'];
/** As the schema of submissions has it: file names that are the same everywhere. */
const NAME = /^[a-z0-9]+(-[a-z0-9]+)*$/;
const MAX_NAME = 60;

export interface Opened {
  name: string;
  kind: Submission['kind'];
  /** For the suite: the id of a plug-in, or a checkpoint. */
  method: string | SuiteMethod;
  definition?: Pick<Plugin, 'paper' | 'licence' | 'title'>;
  source: SubmissionSource;
  /** The files of the plug-in, or of the one that a checkpoint needs: what is written beside the submission. */
  plugin?: PluginFiles;
  /** Files that threads load. */
  plugins: string[];
}

export const isPlugin = (path: string): boolean => PLUGIN_ENDINGS.includes(extname(path));

function checkedName(name: string, mend: string): string {
  if (NAME.test(name) && name.length <= MAX_NAME) return name;
  throw new UserError(
    `submit: expected a name of lower-case letters, digits and single dashes, at most ${MAX_NAME}; found '${name}': ${mend}.`,
  );
}

async function openPlugin(path: string, registry: Registry): Promise<Opened> {
  const definition = await loadPlugin(path, registry);
  const { kind, id } = definition;
  if (kind !== 'sae' && kind !== 'baseline') {
    throw new UserError(`submit ${path}: expected an SAE, a baseline or a checkpoint: a method; found a ${kind}.`);
  }
  const name = checkedName(id, `rename the file and its id`);
  const plugin = await pluginFiles(path, definition);
  return { name, kind, method: id, definition, source: { files: plugin.files }, plugin, plugins: [path] };
}

async function openTrained(
  text: string,
  form: Record<string, unknown> | undefined,
  plugins: readonly string[],
  registry: Registry,
): Promise<Opened> {
  if (plugins.length > 1)
    throw new UserError(`submit: expected one --plugin, that of the checkpoint; found ${plugins.length}.`);
  const variant = plugins[0];
  const plugin = variant === undefined ? undefined : await pluginFiles(variant, await loadPlugin(variant, registry));
  const method = checkpointByName(text, form);
  const name = checkedName(methodName(method), `name it, NAME=${basename(text)}`);
  const { path, site, subjects } = method;
  const files = await filesOf(path!, form);
  const source: SubmissionSource = {
    files,
    ...(isOnHub(path!) ? { hub: path! } : {}),
    ...(site === undefined ? {} : { site: subjects ? `${subjects[0]}:${site}` : site }),
    ...(form === undefined ? {} : { form }),
    ...(plugin ? { variant: plugin.files } : {}),
  };
  return {
    name,
    kind: 'checkpoint',
    method: { ...method, name },
    source,
    ...(plugin ? { plugin } : {}),
    plugins: [...plugins],
  };
}

/** The files of a checkpoint on this machine, or on the hub. */
export async function filesOf(path: string, form: Record<string, unknown> | undefined): Promise<SourceFile[]> {
  const { folder, files } = await openCheckpoint(await localCheckpoint(path, form), form);
  return checkpointFiles(folder, files);
}

/**
 * Opens what is to be submitted.
 *
 * @param path A plug-in's file, or a checkpoint as `run --checkpoint` takes it.
 * @param form What `--checkpoint-form` says of it.
 * @param plugins The plug-in that a checkpoint needs.
 * @throws UserError for what is no method, or cannot be read whole by others.
 */
export function openSubmitted(
  path: string,
  { form, plugins }: { form?: Record<string, unknown> | undefined; plugins: readonly string[] },
  registry: Registry,
): Promise<Opened> {
  if (!isPlugin(path)) return openTrained(path, form, plugins, registry);
  const [flag] = [...(form ? ['--checkpoint-form'] : []), ...(plugins.length > 0 ? ['--plugin'] : [])];
  if (flag !== undefined)
    throw new UserError(`submit ${path}: ${flag} is of a checkpoint; a plug-in is a file by itself.`);
  return openPlugin(path, registry);
}
