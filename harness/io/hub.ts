/** @file From a reference (a local folder or a Hugging Face id of a model or a data set) to a folder on this machine. */

import { readdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { UserError } from '../errors.ts';
import { atomicWriteFile } from './atomic.ts';
import { checkStatus, downloadFile, hubHeaders, withRetries } from './download.ts';
import type { Environment, HubSettings, RepositoryCache, RepositoryKind } from './hub-cache.ts';
import { cachedCommit, exists, hubSettings, isCommit, repositoryCache } from './hub-cache.ts';
import { readJson } from './json.ts';
import { isTorchWeights, weightFiles } from './weight-files.ts';

/** How to resolve a reference. */
export interface ResolveOptions {
  /** Default `process.env`. */
  env?: Environment;
  /** Default `model`. */
  kind?: RepositoryKind;
  /** Exactly these files, in place of what `wants` chooses. */
  files?: readonly string[];
  /** Which of the repository's files to fetch. Default {@link isModelFile}, and PyTorch's weights where there are no others. */
  wants?: (file: string) => boolean;
  /** The same with all of the repository's files in view. @throws UserError where they are not what is looked for. */
  choose?: (files: readonly string[]) => string[];
  /** Whether what is chosen depends on which files there are, so that the hub is asked for a commit too. Default false. */
  asks?: boolean;
  /** Whether a snapshot in the cache has all that is wanted. Default: every file of a model's weights. */
  isWhole?: (folder: string) => Promise<boolean>;
  onProgress?: (file: string, received: number, total: number) => void;
  signal?: AbortSignal;
  /** Pause before the first repetition after a network failure, doubled each time. Default 1,000. */
  retryDelayMs?: number;
}

/** A folder with the files, and for the hub where they came from. */
export interface ResolvedModel {
  folder: string;
  /** `org/name`, absent for a local folder. */
  id?: string;
  /** The commit's full hash, absent for a local folder. */
  commit?: string;
}

/** A repository with more files is no model; a data set may have a file for each image. */
const MAX_FILES: Readonly<Record<RepositoryKind, number>> = { model: 20_000, dataset: 200_000 };

const REFERENCE = /^([\w-][\w.-]{0,95}\/[\w-][\w.-]{0,95})(?:@([\w][\w./-]{0,199}))?$/;

/** Configurations (a sentence embedder's pooling and prompts among them), tokenizers and safetensors of a repository; no other weights. */
export function isModelFile(file: string): boolean {
  return (
    /^[^/]+\.safetensors$/.test(file) ||
    /^(model\.safetensors\.index|config|cfg|generation_config|tokenizer|tokenizer_config|special_tokens_map|added_tokens|vocab|preprocessor_config|processor_config|modules|sentence_bert_config|config_sentence_transformers|open_clip_config)\.json$/.test(
      file,
    ) ||
    /^\d+_Pooling\/config\.json$/.test(file) ||
    file === 'merges.txt' ||
    file === 'chat_template.jinja' ||
    file === 'vocab.txt'
  );
}

/** Whether a reference has the form of a hub id, `org/name` or `org/name@revision`. */
export function isHubReference(reference: string): boolean {
  const match = REFERENCE.exec(reference);
  return match !== null && !/\.\.|--/.test(match[1]!) && !/\.\.|\/\/|\/$/.test(match[2] ?? '');
}

/** Which of a repository's files are fetched. */
function wantedOf(all: readonly string[], { files, wants, choose }: ResolveOptions): string[] {
  if (choose) return choose(all);
  if (files) return all.filter((file) => files.includes(file));
  const wanted = all.filter(wants ?? isModelFile);
  if (wants || wanted.some((file) => file.endsWith('.safetensors'))) return wanted;
  return [...wanted, ...all.filter((file) => !file.includes('/') && isTorchWeights(file))];
}

/** Whether a snapshot in the cache has every file of the weights (another program may have fetched only some). */
async function isComplete(folder: string, options: ResolveOptions): Promise<boolean> {
  if (options.files) return (await Promise.all(options.files.map((file) => exists(join(folder, file))))).every(Boolean);
  const files = wantedOf(await readdir(folder).catch(() => []), options);
  const present = await Promise.all(files.map((file) => exists(join(folder, file))));
  const found = weightFiles(files);
  if ('file' in found) return present[files.indexOf(found.file)]!;
  if ('candidates' in found) return found.candidates.some((file) => present[files.indexOf(file)]);
  const { weight_map: map } = (await readJson(join(folder, found.index), 'hub')) as {
    weight_map?: Record<string, string>;
  };
  const shards = [...new Set(Object.values(map ?? {}))];
  return shards.length > 0 && shards.every((file) => present[files.indexOf(file)]);
}

/** Whether all files of a model are wanted, of which the repository alone knows which there are. */
const takesModel = ({ files, wants, choose }: ResolveOptions) => !files && !wants && !choose;

interface Listing {
  commit: string;
  files: string[];
}

async function listFiles(
  settings: HubSettings,
  id: string,
  revision: string,
  options: ResolveOptions,
): Promise<Listing> {
  const { kind = 'model' } = options;
  const url = `${settings.endpoint}/api/${kind}s/${id}/revision/${encodeURIComponent(revision)}`;
  const name = `hub ${id}@${revision}`;
  const body = await withRetries(name, options.retryDelayMs ?? 1000, async () => {
    const timeout = AbortSignal.timeout(30_000);
    const signal = options.signal === undefined ? timeout : AbortSignal.any([timeout, options.signal]);
    const response = await fetch(url, { headers: hubHeaders(settings.token), signal });
    checkStatus(response.status, name, url);
    return response.json().catch(() => undefined) as Promise<
      { sha?: unknown; siblings?: { rfilename?: unknown }[] } | undefined
    >;
  });
  const files = (Array.isArray(body?.siblings) ? body.siblings : []).map((sibling) => sibling?.rfilename);
  if (typeof body?.sha !== 'string' || !isCommit(body.sha) || files.length > MAX_FILES[kind]) {
    throw new UserError(`${name}: ${url} did not answer with a commit and a list of files: is HF_ENDPOINT right?`);
  }
  const safe = (file: unknown): file is string =>
    typeof file === 'string' && !/(^|\/)\.{0,2}(\/|$)|[\\:\p{Cc}]/u.test(file);
  return { commit: body.sha, files: wantedOf(files.filter(safe), options).sort() };
}

async function fetchSnapshot(
  settings: HubSettings,
  places: RepositoryCache,
  id: string,
  revision: string,
  options: ResolveOptions,
): Promise<ResolvedModel> {
  const { commit, files } = await listFiles(settings, id, revision, options);
  const missing = options.files?.find((file) => !files.includes(file));
  if (missing !== undefined) throw new UserError(`hub ${id}@${revision}: expected a file ${missing}, found none.`);
  const weights = takesModel(options) ? weightFiles(files) : undefined;
  if (weights && 'candidates' in weights && weights.candidates.length === 0) {
    throw new UserError(
      `hub ${id}@${revision}: holds no .safetensors and no pytorch_model.bin: choose a revision that does, or convert the weights.`,
    );
  }
  const folder = places.snapshot(commit);
  for (const file of files) {
    const target = join(folder, file);
    if (await exists(target)) continue;
    const path = file.split('/').map(encodeURIComponent).join('/');
    await downloadFile({
      url: `${settings.endpoint}/${options.kind === 'dataset' ? 'datasets/' : ''}${id}/resolve/${commit}/${path}`,
      headers: hubHeaders(settings.token),
      blobs: places.blobs,
      target,
      name: `hub ${id}/${file}`,
      onProgress: (received, total) => options.onProgress?.(file, received, total),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      ...(options.retryDelayMs === undefined ? {} : { retryDelayMs: options.retryDelayMs }),
    });
  }
  // Last: whoever finds the reference finds every file.
  if (!isCommit(revision)) await atomicWriteFile(places.ref, commit);
  if (takesModel(options)) await atomicWriteFile(places.fetched(commit), commit);
  return { folder, id, commit };
}

/**
 * Resolve a reference to a folder: an existing local folder as it is; `org/name[@revision]` through the standard
 * Hugging Face cache, downloading what is missing. Without a connection the cached snapshot is used when it is whole, by what its
 * files tell: which others the repository has only the hub knows.
 *
 * @throws UserError when there is no such folder or repository, access is refused, the network fails and nothing whole
 * is cached, or the disk is full.
 */
export async function resolveModel(reference: string, options: ResolveOptions = {}): Promise<ResolvedModel> {
  const local = reference.startsWith('~/') ? join(homedir(), reference.slice(2)) : reference;
  if (await exists(local)) return { folder: local };
  const match = REFERENCE.exec(reference);
  if (match === null || !isHubReference(reference)) {
    throw new UserError(
      `hub '${reference}': no such folder, and not a hub id of the form org/name or org/name@revision.`,
    );
  }
  const id = match[1]!;
  const revision = match[2] ?? 'main';
  const settings = await hubSettings(options.env ?? process.env);
  const places = repositoryCache(settings.cache, id, revision, options.kind);
  const commit = await cachedCommit(places, revision);
  const cached = commit === undefined ? undefined : places.snapshot(commit);
  const isWhole = options.isWhole ?? ((folder: string) => isComplete(folder, options));
  const whole = cached !== undefined && (await isWhole(cached));
  const fromCache = { folder: cached ?? '', id, commit: commit ?? '' };
  const fetched =
    isCommit(revision) && (takesModel(options) ? await exists(places.fetched(revision)) : options.asks !== true);
  if (whole && (settings.offline || fetched)) return fromCache;
  if (settings.offline) {
    throw new UserError(
      `hub ${reference}: not in the cache ${settings.cache}, and HF_HUB_OFFLINE is set: unset it, or give a local folder.`,
    );
  }
  try {
    return await fetchSnapshot(settings, places, id, revision, options);
  } catch (error) {
    if (whole && error instanceof UserError && / download failed /.test(error.message)) return fromCache;
    throw error;
  }
}
