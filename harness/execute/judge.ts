/** @file The judge of a task at one site: opened when it is first asked for ratings. */
import type { JudgeDefinition, OpenJudge, Replies, TaskJudge } from '../contract/judge.ts';
import type { ResolvedJudge } from '../suite/resolved.ts';
import { createOnce } from './once.ts';
import type { Session } from './session.ts';

/** The judge on a session's dataset and subject; it is disposed of with the session. */
export function taskJudge(
  definition: JudgeDefinition,
  { id, version, options }: ResolvedJudge,
  session: Pick<Session, 'dataset' | 'subject' | 'own'>,
  replies: Replies,
): TaskJudge {
  const { dataset, subject } = session;
  const once = createOnce();
  const opened = (): Promise<OpenJudge> =>
    once('judge', async () => {
      const judge = await definition.open({ options, dataset, ...(subject ? { subject } : {}), replies });
      session.own(judge);
      return judge;
    });
  const unavailable = definition.unavailable?.({ dataset });
  return {
    id,
    version,
    ...(unavailable === undefined ? {} : { unavailable }),
    description: async () => (await opened()).description,
    rate: async (rows, signal) => (await opened()).rate(rows, signal),
  };
}
