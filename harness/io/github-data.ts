/** @file Files of data in a repository on GitHub: `github:OWNER/REPO/PATH@COMMIT` to where they lie in saxbench's own cache. */
import { open } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { UserError } from '../errors.ts';
import { atomicWriteJson, writeError } from './atomic.ts';
import { downloadFile, Transient, withRetries } from './download.ts';
import { ensureFolder } from './ensure-folder.ts';
import { type Environment, exists, hubSettings, isCommit } from './hub-cache.ts';
import { readJson } from './json.ts';
import { ownCache } from './own-cache.ts';
import { filesAt, notDownloaded, type RemoteData, type RemoteDataOptions } from './remote-data.ts';

const REFERENCE = /^github:(?<id>[\w-]+\/[\w.-]+)(?:\/(?<path>[^@]+?))?\/?@(?<commit>[^@]+)$/;
const HEADERS = { 'user-agent': 'saxbench', 'x-github-api-version': '2022-11-28' };
const NAMED = 'download the repository and name its folder';

function parsed(reference: string) {
  const { id = '', path = '', commit = '' } = REFERENCE.exec(reference)?.groups ?? {};
  // A commit's contents never change: what is in the cache is right for good, and a result says what it was made of.
  if (isCommit(commit) && !/\.\./.test(id) && !path.split('/').includes('..')) return { id, path, commit };
  throw new UserError(
    `data ${reference}: expected github:OWNER/REPO/PATH@COMMIT, the commit's 40 digits 0 to 9 and a to f, without '..'.`,
  );
}

function checkAnswer(status: number, name: string, url: string): void {
  if (status === 403 || status === 429) {
    throw new UserError(
      `${name}: GitHub refuses (${status}): too many requests in this hour, or too large a file; try again later, or ${NAMED}.`,
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

/** An ordinary file: a link's content is a path. */
function isBlob(entry: Partial<Blob & { type: string; mode: string }> | null): entry is Blob {
  return (
    entry?.type === 'blob' &&
    /^100(644|755)$/.test(String(entry.mode)) &&
    typeof entry.path === 'string' &&
    !/(^|\/)\.{0,2}(\/|$)|[\\:\p{Cc}]/u.test(entry.path) &&
    isCommit(String(entry.sha)) &&
    Number.isSafeInteger(entry.size)
  );
}

/** What GitHub says of a commit; undefined for what is no such answer. */
function blobsOf(body: unknown): Blob[] | undefined {
  const { tree, truncated } = (body ?? {}) as { tree?: unknown; truncated?: unknown };
  return Array.isArray(tree) && truncated !== true ? tree.filter(isBlob) : undefined;
}

async function askForTree(repository: string, commit: string, name: string, retryDelayMs: number): Promise<unknown> {
  const url = `${repository}/git/trees/${commit}?recursive=1`;
  const body = await withRetries(name, retryDelayMs, async () => {
    const response = await fetch(url, { headers: HEADERS, signal: AbortSignal.timeout(30_000) });
    checkAnswer(response.status, name, url);
    return response.json().catch((error: Error) => {
      if (!(error instanceof SyntaxError)) throw error;
    });
  });
  if (blobsOf(body)) return body;
  throw new UserError(`${name}: expected ${url} to answer with all files of the commit: ${NAMED}.`);
}

const POINTER = 'version https://git-lfs';

/** @throws UserError for a file that stands for one which GitHub keeps elsewhere. */
async function refusePointer(file: string, name: string): Promise<void> {
  const handle = await open(file);
  const { buffer } = await handle.read(Buffer.alloc(POINTER.length), 0, POINTER.length).finally(() => handle.close());
  if (buffer.toString() === POINTER) throw new UserError(`${name}: found a pointer of Git LFS in its place: ${NAMED}.`);
}

/** One commit of a repository, with its place in the cache. */
function commitOf(id: string, commit: string, env: Environment, retryDelayMs: number) {
  const root = join(ownCache(env), 'github', id.replace('/', '--'));
  const folder = join(root, commit);
  // Beside the files, so that what is meant by a path is told without asking again.
  const listing = `${folder}.json`;
  const repository = `${(env['SAXBENCH_GITHUB_API'] || 'https://api.github.com').replace(/\/+$/, '')}/repos/${id}`;
  return {
    folder,
    known: async () => blobsOf(await readJson(listing, 'github').catch(() => undefined)),
    async ask(): Promise<Blob[]> {
      const body = await askForTree(repository, commit, `github ${id}@${commit.slice(0, 7)}`, retryDelayMs);
      await ensureFolder(root).catch((error) => {
        throw writeError(root, error);
      });
      await atomicWriteJson(listing, body);
      return blobsOf(body)!;
    },
    async fetch({ path, sha, size }: Blob): Promise<void> {
      const [target, name] = [join(folder, path), `github ${id}/${path}`];
      await downloadFile({
        ...{ target, name, retryDelayMs, blobs: join(root, 'blobs'), check: checkAnswer },
        url: `${repository}/git/blobs/${sha}`,
        headers: { ...HEADERS, accept: 'application/vnd.github.raw+json' },
        content: { etag: sha, size },
      });
    },
  };
}

/**
 * The local place of data in a public repository on GitHub (by its API at https://api.github.com, or where `SAXBENCH_GITHUB_API` says),
 * downloaded where they are not in the cache, checked by git's own hashes. No token is sent. `HF_HUB_OFFLINE` holds here too.
 *
 * @throws UserError for another form of reference, and where there is no such repository, commit or file, or GitHub is out of reach
 *   and they are not cached; NotDownloaded where downloading alone would help and was not allowed.
 */
export async function githubData(reference: string, options: RemoteDataOptions = {}): Promise<RemoteData> {
  const { id, path, commit } = parsed(reference);
  const { files: sets, download = true, env = process.env, retryDelayMs = 1000 } = options;
  const cached = commitOf(id, commit, env, retryDelayMs);
  const { offline } = await hubSettings(env);
  const refuseDownload = () => {
    if (offline)
      return new UserError(
        `${reference}: not in the cache (${cached.folder}), and HF_HUB_OFFLINE is set: unset it once, or name a folder.`,
      );
    return download ? undefined : notDownloaded(reference);
  };
  let blobs = await cached.known();
  if (!blobs) {
    const refused = refuseDownload();
    if (refused) throw refused;
    blobs = await cached.ask();
  }
  const chosen = filesAt(
    blobs.map((blob) => blob.path),
    path,
    reference,
    sets,
  );
  for (const file of chosen) {
    const target = join(cached.folder, file);
    if (!(await exists(target))) {
      const refused = refuseDownload();
      if (refused) throw refused;
      await cached.fetch(blobs.find((blob) => blob.path === file)!);
    }
    await refusePointer(target, `github ${id}/${file}`);
  }
  const place = sets ? path : chosen[0]!;
  return { path: join(cached.folder, place), name: `${posix.join(id, place)}@${commit.slice(0, 7)}` };
}
