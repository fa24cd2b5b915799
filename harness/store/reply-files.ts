/** @file The files of judges' replies in a store: where they lie, whether they are whole, and which there are. */
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256Json } from '../io/hash.ts';
import { readJson } from '../io/json.ts';

export interface KeptReply {
  request: unknown;
  reply: unknown;
  checksum: string;
}

/** One file below `replies/`. */
export interface ReplyFile {
  judge: string;
  path: string;
  bytes: number;
  /** To the hour, in milliseconds. */
  lastUse: number;
  /** What is wrong with it, in words. */
  damage?: string;
}

const FOLDER = 'replies';
/** A file that is younger may be one that is being written. */
const UNFINISHED_MS = 24 * 3_600_000;

/** Where the reply with a key lies. */
export const replyFile = (root: string, judge: string, key: string): string =>
  join(root, FOLDER, judge, key.slice(0, 2), `${key}.json`);

/** With the key, so that a file copied to the place of another request or judge does not pass for its own. */
export const replyChecksum = (key: string, content: Partial<KeptReply>): string => sha256Json({ key, ...content });

/** The reply in a file that is there; undefined where it is damaged or of another request than the key says. */
export async function readReply(path: string, key: string): Promise<KeptReply | undefined> {
  const found = (await readJson(path, 'store').catch(() => undefined)) as KeptReply | null | undefined;
  const { checksum, ...content } = found ?? {};
  return found && checksum === replyChecksum(key, content) ? found : undefined;
}

/** Whether a hidden file is what an interrupted writer left; others are a desktop's or a network file system's. */
const isAbandoned = (name: string, changed: number) => name.endsWith('.tmp') && Date.now() - changed > UNFINISHED_MS;

async function damageOf(path: string, name: string, deep: boolean): Promise<string | undefined> {
  const [, key] = /^([0-9a-f]{64})\.json$/.exec(name) ?? [];
  if (key === undefined) return name.endsWith('.tmp') ? 'left unfinished' : 'not a reply';
  if (deep && !(await readReply(path, key))) return 'its checksum is not that of its content and place';
  return undefined;
}

/** All replies, by judge and key; none where the store has none. `deep` reads every file and compares checksums. */
export async function listReplies(root: string, deep: boolean, signal?: AbortSignal): Promise<ReplyFile[]> {
  const folder = join(root, FOLDER);
  const judges = await readdir(folder).catch(() => [] as string[]);
  const files: ReplyFile[] = [];
  for (const judge of judges.sort()) {
    const entries = await readdir(join(folder, judge), { recursive: true, withFileTypes: true }).catch(() => []);
    const paths = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => ({ parentPath, name }));
    for (const { parentPath, name } of paths.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      signal?.throwIfAborted();
      const path = join(parentPath, name);
      const found = await lstat(path).catch(() => undefined);
      if (!found || (name.startsWith('.') && !isAbandoned(name, found.mtimeMs))) continue;
      const damage = await damageOf(path, name, deep);
      const file = { judge, path, bytes: found.size, lastUse: found.mtimeMs };
      files.push(damage === undefined ? file : { ...file, damage });
    }
  }
  return files;
}
