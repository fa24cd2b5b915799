/**
 * @file What judges were answered, kept beside the steps of a store: `replies/<judge>/<hash>.json`, one file a reply. They
 * outlive the steps, so that another factor or a mended parser asks nothing again; whoever wants new ones removes the folder
 * of the judge, or what was not used for long (`store gc --older-than`).
 */
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Replies } from '../contract/judge.ts';
import { atomicWriteJson } from '../io/atomic.ts';
import { ensureFolder } from '../io/ensure-folder.ts';
import { sha256Json } from '../io/hash.ts';
import { refuseNonFinite } from '../io/non-finite.ts';
import { type KeptReply, readReply, replyChecksum, replyFile } from './reply-files.ts';
import { noteUse } from './use.ts';

/** What of a judge its replies depend on. */
export interface ReplyingJudge {
  id: string;
  version: number;
  options: Record<string, unknown>;
  /** Of one that asks a chat model. */
  endpoint?: string;
}

/**
 * The replies of any judge in one store.
 *
 * @param say Told of a kept reply that is damaged: it is asked for again.
 */
export function openReplies(root: string, say: (line: string) => void): (judge: ReplyingJudge) => Replies {
  const asked = new Map<string, Promise<unknown>>();

  async function kept(file: string, key: string): Promise<KeptReply | undefined> {
    if (!existsSync(file)) return undefined;
    const found = await readReply(file, key);
    if (found) {
      await noteUse(file);
      return found;
    }
    say(`store: the reply ${file} is damaged or of another request; it is asked for again.`);
    return undefined;
  }

  return ({ id, version, options, endpoint }) => ({
    async once<T>(request: unknown, ask: () => Promise<T>): Promise<T> {
      refuseNonFinite(request, `judge ${id}: request`);
      const key = sha256Json({ id, version, options, endpoint, request });
      const file = replyFile(root, id, key);
      const answer = async (): Promise<unknown> => {
        const there = await kept(file, key);
        if (there) return there.reply;
        const reply = await ask();
        refuseNonFinite(reply, `judge ${id}: reply`);
        // Another process may have asked meanwhile: what it was answered is what later runs will read.
        const first = await readReply(file, key);
        if (first) return first.reply;
        const content = { request, reply };
        await ensureFolder(dirname(file));
        await atomicWriteJson(file, { ...content, checksum: replyChecksum(key, content) });
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
