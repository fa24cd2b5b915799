/** @file The language model that a method works through. */
import { type LanguageModel, UserError } from '../../harness/contract.ts';

/**
 * @param use What the method needs it for, as it reads in the error: `which answers`.
 * @throws UserError where the subject is none, or there is no subject.
 */
export function requireLanguageModel(
  method: string,
  subject: { type: string } | undefined,
  use: string,
): LanguageModel {
  if (subject?.type === 'lm') return subject as LanguageModel;
  const found = subject ? `a subject of type '${subject.type}'` : 'no subject';
  throw new UserError(`${method}: expected a language model, ${use}; found ${found}`);
}
