/**
 * @file What judges were answered, kept beside the steps of a store: `replies/<judge>/<hash>.json`, one file a reply. They
 * outlive the steps, so that another factor or a mended parser asks nothing again; whoever wants new ones removes the folder.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Replies } from '../contract/judge.ts';
import { atomicWriteJson } from '../io/atomic.ts';
import { ensureFolder } from '../io/ensure-folder.ts';
import { sha256Json } from '../io/hash.ts';
import { readJson } from '../io/json.ts';
import { refuseNonFinite } from '../io/non-finite.ts';

/** What of a judge its replies depend on. */
export interface ReplyingJudge {
  id: string;
  version: number;
  options: Record<string, unknown>;
}

interface KeptReply {
  request: unknown;
  reply: unknown;
  checksum: string;
}

/** With the key, so that a file copied to the place of another request or judge does not pass for its own. */
const checksumOf = (key: string, content: Partial<KeptReply>) => sha256Json({ key, ...content });

/**
 * The replies of any judge in one store.
 *
 * @param say Told of a kept reply that is damaged: it is asked for again.
 */
export function openReplies(root: string, say: (line: string) => void): (judge: ReplyingJudge) => Replies {
  const asked = new Map<string, Promise<unknown>>();

  async function kept(file: string, key: string): Promise<KeptReply | undefined> {
    if (!existsSync(file)) return undefined;
    const found = (await readJson(file, 'store').catch(() => undefined)) as KeptReply | null | undefined;
    const { checksum, ...content } = found ?? {};
    if (found && checksum === checksumOf(key, content)) return found;
    say(`store: the reply ${file} is damaged or of another request; it is asked for again.`);
    return undefined;
  }

  return ({ id, version, options }) => ({
    async once<T>(request: unknown, ask: () => Promise<T>): Promise<T> {
      refuseNonFinite(request, `judge ${id}: request`);
      const key = sha256Json({ id, version, options, request });
      const folder = join(root, 'replies', id, key.slice(0, 2));
      const file = join(folder, `${key}.json`);
      const answer = async (): Promise<unknown> => {
        const there = await kept(file, key);
        if (there) return there.reply;
        const reply = await ask();
        refuseNonFinite(reply, `judge ${id}: reply`);
        const content = { request, reply };
        await ensureFolder(folder);
        await atomicWriteJson(file, { ...content, checksum: checksumOf(key, content) });
        return reply;
      };
      // A failure is not kept: the next one asks again.
      if (!asked.has(key))
        asked.set(
          key,
          answer().finally(() => asked.delete(key)),
        );
      return asked.get(key) as Promise<T>;
    },
  });
}
