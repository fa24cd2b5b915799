/** @file Files of data in a repository on GitHub: `github:OWNER/REPO/PATH@COMMIT` to where they lie in saxbench's own cache. */
import { join, posix } from 'node:path';
import { UserError } from '../errors.ts';
import { downloadFile, Transient, withRetries } from './download.ts';
import { hubSettings, isCommit } from './hub-cache.ts';
import { ownCache } from './own-cache.ts';
import {
  DATA_FILE,
  filesAt,
  filesHere,
  notDownloaded,
  type RemoteData,
  type RemoteDataOptions,
} from './remote-data.ts';

const REFERENCE = /^github:(?<id>[\w-]+\/[\w.-]+)(?:\/(?<path>[^@]+?))?\/?@(?<commit>[^@]+)$/;
const HEADERS = { 'user-agent': 'saxbench', 'x-github-api-version': '2022-11-28' };

function parsed(reference: string) {
  const { id = '', path = '', commit = '' } = REFERENCE.exec(reference)?.groups ?? {};
  // A commit's contents never change: what is in the cache is right for good, and a result says what it was made of.
  if (isCommit(commit) && !/\.\./.test(id) && !path.split('/').includes('..')) return { id, path, commit };
  throw new UserError(
    `data ${reference}: expected github:OWNER/REPO/PATH@COMMIT, the commit's 40 hexadecimal digits, without '..'.`,
  );
}

function checkAnswer(status: number, name: string, url: string): void {
  if (status === 403 || status === 429) {
    throw new UserError(
      `${name}: GitHub refuses (${status}), mostly for too many requests an hour: try again later, or download the repository and name its folder.`,
    );
  }
  if (status === 404 || status === 422)
    throw new UserError(`${name}: not found at ${url}: check the name and the commit.`);
  if (status >= 500) throw new Transient(`${name}: the server answered ${status}`);
  if (status >= 400) throw new UserError(`${name}: the server answered ${status} for ${url}.`);
}

interface Blob {
  path: string;
  sha: string;
  size: number;
}

/** The files of a commit. */
async function treeOf(repository: string, commit: string, name: string, retryDelayMs: number): Promise<Blob[]> {
  const url = `${repository}/git/trees/${commit}?recursive=1`;
  const body = await withRetries(name, retryDelayMs, async () => {
    const response = await fetch(url, { headers: HEADERS, signal: AbortSignal.timeout(30_000) });
    checkAnswer(response.status, name, url);
    return response.json().catch(() => undefined) as Promise<{ tree?: unknown; truncated?: unknown } | undefined>;
  });
  const isBlob = (entry: Partial<Blob & { type: string }> | null): entry is Blob =>
    entry?.type === 'blob' &&
    typeof entry.path === 'string' &&
    !/(^|\/)\.{0,2}(\/|$)|[\\:\p{Cc}]/u.test(entry.path) &&
    isCommit(String(entry.sha)) &&
    Number.isSafeInteger(entry.size);
  if (!Array.isArray(body?.tree) || body.truncated === true) {
    throw new UserError(
      `${name}: expected ${url} to answer with all files of the commit: download it and name its folder.`,
    );
  }
  return body.tree.filter(isBlob);
}

/**
 * The local place of data in a public repository on GitHub (`GITHUB_API_URL`, by default https://api.github.com), downloaded where
 * they are not in the cache, checked by git's own hashes. No token is sent. `HF_HUB_OFFLINE` holds here too.
 *
 * @throws UserError for another form of reference, and where there is no such repository, commit or file, or GitHub is out of reach
 *   and nothing is cached; NotDownloaded where downloading alone would help and was not allowed.
 */
export async function githubData(reference: string, options: RemoteDataOptions = {}): Promise<RemoteData> {
  const { id, path, commit } = parsed(reference);
  const { files: sets, download = true, env = process.env, retryDelayMs = 1000 } = options;
  const choose = (files: readonly string[]) => filesAt(files, path, reference, sets);
  const root = join(ownCache(env), 'github', id.replace('/', '--'));
  const folder = join(root, commit);
  const at = (file: string): RemoteData => {
    const place = sets ? path : file;
    return { path: join(folder, place), name: `${posix.join(id, place)}@${commit.slice(0, 7)}` };
  };
  // A folder's only file of data may be the only one that was fetched.
  const here = sets || DATA_FILE.test(path) ? await filesHere(folder, choose) : undefined;
  if (here) return at(here[0]!);
  if ((await hubSettings(env)).offline) {
    throw new UserError(
      `${reference}: not in the cache (${folder}), and HF_HUB_OFFLINE is set: unset it once, or name a folder.`,
    );
  }
  if (!download) throw notDownloaded(reference);
  const repository = `${(env['GITHUB_API_URL'] || 'https://api.github.com').replace(/\/+$/, '')}/repos/${id}`;
  const tree = await treeOf(repository, commit, `github ${id}@${commit.slice(0, 7)}`, retryDelayMs);
  const chosen = choose(tree.map((blob) => blob.path));
  for (const file of chosen) {
    const { sha, size } = tree.find((blob) => blob.path === file)!;
    await downloadFile({
      url: `${repository}/git/blobs/${sha}`,
      headers: { ...HEADERS, accept: 'application/vnd.github.raw+json' },
      content: { etag: sha, size },
      check: checkAnswer,
      blobs: join(root, 'blobs'),
      target: join(folder, file),
      name: `github ${id}/${file}`,
      retryDelayMs,
    });
  }
  return at(chosen[0]!);
}
