/** @file Where Hugging Face keeps downloaded models, and how environment variables change that. */

import { readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { UserError } from '../errors.ts';

/** Environment variables; `process.env` outside of tests. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The settings of the hub that the environment gives, in the order of HF's own libraries. */
export interface HubSettings {
  /** `HF_HUB_CACHE`, `HUGGINGFACE_HUB_CACHE`, `$HF_HOME/hub`, `$XDG_CACHE_HOME/huggingface/hub`, `~/.cache/huggingface/hub`. */
  cache: string;
  /** `HF_ENDPOINT`, without a final slash. */
  endpoint: string;
  /** `HF_HUB_OFFLINE`. */
  offline: boolean;
  /** `HF_TOKEN`, else the file `HF_TOKEN_PATH` or `$HF_HOME/token`. */
  token: string | undefined;
}

function isOn(value: string | undefined): boolean {
  return value !== undefined && /^(1|on|yes|true)$/i.test(value);
}

/**
 * Read the settings of the hub.
 *
 * @throws UserError when `HF_ENDPOINT` is not a URL.
 */
export async function hubSettings(env: Environment): Promise<HubSettings> {
  const home = env['HF_HOME'] || join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'huggingface');
  const tokenPath = env['HF_TOKEN_PATH'] || join(home, 'token');
  const token = env['HF_TOKEN'] || (await readFile(tokenPath, 'utf8').catch(() => ''));
  const endpoint = (env['HF_ENDPOINT'] || 'https://huggingface.co').replace(/\/+$/, '');
  if (!/^https?:/.test(endpoint) || !URL.canParse(endpoint)) {
    throw new UserError(
      `hub: HF_ENDPOINT: expected a URL such as https://huggingface.co, found ${JSON.stringify(endpoint)}.`,
    );
  }
  return {
    cache: env['HF_HUB_CACHE'] || env['HUGGINGFACE_HUB_CACHE'] || join(home, 'hub'),
    endpoint,
    offline: isOn(env['HF_HUB_OFFLINE']),
    token: token.trim() || undefined,
  };
}

/** What a repository of the hub holds. */
export type RepositoryKind = 'model' | 'dataset';

/** The places of one repository in the cache. */
export interface RepositoryCache {
  /** Contents by ETag. */
  blobs: string;
  /** The file that holds the commit of a branch or tag. */
  ref: string;
  /** A file that is there once all files of a commit's model were fetched here; other programs may have fetched some of them. */
  fetched(commit: string): string;
  snapshot(commit: string): string;
}

/** Where a repository lies in the cache. */
export function repositoryCache(
  cache: string,
  id: string,
  revision: string,
  kind: RepositoryKind = 'model',
): RepositoryCache {
  const root = join(cache, `${kind}s--${id.replaceAll('/', '--')}`);
  return {
    blobs: join(root, 'blobs'),
    ref: join(root, 'refs', revision),
    fetched: (commit) => join(root, 'refs', 'saxbench', commit),
    snapshot: (commit) => join(root, 'snapshots', commit),
  };
}

/** A commit's full hash. */
export function isCommit(revision: string): boolean {
  return /^[0-9a-f]{40}$/.test(revision);
}

/** Whether a path exists, links followed. */
export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** The commit that the cache knows for a revision. */
export async function cachedCommit(places: RepositoryCache, revision: string): Promise<string | undefined> {
  if (isCommit(revision)) return revision;
  const commit = await readFile(places.ref, 'utf8').catch(() => '');
  return isCommit(commit.trim()) ? commit.trim() : undefined;
}
