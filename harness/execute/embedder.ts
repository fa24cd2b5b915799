/** @file The encoder of items that a task's option names, loaded when the first item is embedded. */
import type { ItemEmbedder } from '../contract/data.ts';
import { embedItems, readsOf } from '../kit/embed-items.ts';
import type { ResolvedEmbedder } from '../suite/resolved.ts';
import type { Run } from './run.ts';
import { loadSubject, type Session } from './session.ts';

/** An embedder at a session, which disposes of it. */
export async function openEmbedder(
  planned: ResolvedEmbedder,
  session: Pick<Session, 'own'>,
  run: Pick<Run, 'registry' | 'places'>,
): Promise<ItemEmbedder> {
  const encoder = await loadSubject(planned, run);
  session.own(encoder);
  return {
    id: planned.id,
    description: `${planned.id} (${planned.family.split('@')[0]}, ${planned.fingerprint.slice(0, 8)})`,
    reads: readsOf(encoder),
    embed: (items, signal) => embedItems(encoder, items, signal),
  };
}
