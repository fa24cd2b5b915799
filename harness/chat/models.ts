/** @file What an endpoint says of itself before anything is asked: free of charge, and it tells a wrong key or URL at once. */
import { someOf, UserError } from '../errors.ts';
import type { Endpoint } from './endpoint.ts';
import { exchange } from './exchange.ts';

const TIMEOUT_MS = 10_000;
const MAX_NAMED = 8;

/** What was found of an endpoint. */
export interface Greeting {
  /** Why no question would be answered. */
  error?: UserError;
  /** Models that it lists; undefined where it lists none, as not all endpoints do. */
  models?: string[];
}

/** Asks an endpoint for its list of models. @throws the signal's reason when aborted. */
export async function greet(endpoint: Endpoint, signal: AbortSignal): Promise<Greeting> {
  const found = await exchange({ endpoint, path: '/models', timeoutMs: TIMEOUT_MS, signal });
  // Whether questions have a place is known once one is asked.
  if (found.kind === 'fatal') return found.status === 404 ? {} : { error: found.error };
  if (found.kind === 'busy' && found.unreached) {
    const mend = 'check --judge-url and that it runs';
    return { error: new UserError(`judge endpoint ${endpoint.url}: ${found.reason}; ${mend}.`) };
  }
  const data = found.kind === 'body' ? (found.body as { data?: unknown }).data : undefined;
  if (!Array.isArray(data)) return {};
  const names = data.map((each) => (each as { id?: unknown } | null)?.id);
  return { models: names.filter((name) => typeof name === 'string') };
}

/** What a person should know where an endpoint does not list a model; llama.cpp's serves one under any name. */
export function unlistedLine(endpoint: string, { models }: Greeting, model: string): string | undefined {
  // Ollama lists `name:tag`.
  if (!models || models.length === 0 || models.some((name) => name === model || name.startsWith(`${model}:`)))
    return undefined;
  return `judge endpoint ${endpoint}: does not list the model ${model}; it lists ${someOf(models, MAX_NAMED)}.`;
}
