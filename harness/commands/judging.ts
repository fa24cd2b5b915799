/** @file The chat model of a run by its settings, and what asking it comes to. */
import type { ChatService } from '../chat/service.ts';
import type { Values } from '../config/read.ts';
import { UserError } from '../errors.ts';
import type { Plan } from '../plan.ts';
import type { Registry } from '../registry.ts';
import { judgesOf, type ResolvedJudge, type ResolvedTask } from '../suite/resolved.ts';
import type { CommandContext } from './command.ts';

/** The URL of the endpoint as keys and results have it; checked wherever it is given, since results keep settings. */
export async function endpointUrl(values: Values): Promise<string | undefined> {
  const url = values['judge-url'] as string | undefined;
  if (url === undefined) return undefined;
  const { endpointOf } = await import('../chat/endpoint.ts');
  return endpointOf(url, {}).url;
}

/** The judges of a task that ask a chat model. */
const askingJudges = (task: ResolvedTask): ResolvedJudge[] =>
  judgesOf(task).filter(({ endpoint }) => endpoint !== undefined);

const evaluationsOf = (plan: Plan) => plan.sites.flatMap(({ fits }) => fits.flatMap(({ evaluations }) => evaluations));

/** The chat model that the judges of a plan ask; undefined where none does. The key is read here. */
export async function chatFor(plan: Plan, { values, signal, say }: CommandContext): Promise<ChatService | undefined> {
  if (evaluationsOf(plan).every(({ task }) => askingJudges(task).length === 0)) return undefined;
  const { endpointOf } = await import('../chat/endpoint.ts');
  const { openChat } = await import('../chat/service.ts');
  const maxCalls = values['max-judge-calls'] as number | undefined;
  return openChat({
    endpoint: endpointOf(values['judge-url'] as string, process.env),
    ...(maxCalls === undefined ? {} : { maxCalls }),
    concurrency: values['judge-concurrency'] as number,
    timeoutMs: (values['judge-timeout'] as number) * 1000,
    signal,
    say,
  });
}

/**
 * What would leave the machine, a line for each subject of private items and model that its steered texts are judged by.
 *
 * @throws UserError with the first of them where that was not allowed.
 */
export function uploads({ sites }: Plan, values: Values): string[] {
  const lines = sites.flatMap(({ subject, fits }) => {
    if (!subject.dataset.privateItems) return [];
    const judges = fits.flatMap(({ evaluations }) => evaluations.flatMap(({ task }) => askingJudges(task)));
    return judges.map(
      ({ endpoint, options }) =>
        `prompts made of the private texts of dataset ${subject.dataset.id} (${String(subject.dataset.options['path'] ?? subject.id)}), what ` +
        `${subject.id} writes after them and the names of concepts go to ${endpoint}, model ${String(options['model'])}`,
    );
  });
  const [first, ...others] = new Set(lines);
  if (first === undefined) return [];
  // A dry run sends nothing.
  if (values['allow-upload'] !== true && values['dry-run'] !== true) {
    throw new UserError(
      `--judge: ${first}; expected --allow-upload, which lets them go there, found none; judges that are programs (saxbench ls judges) need none.`,
    );
  }
  return [first, ...others].map((line) => `upload: ${line}.`);
}

/** What the judges of a plan ask for at most, where no reply is kept. */
export interface JudgingEstimate {
  judge: string;
  model: string;
  endpoint: string;
  texts: number;
  requests: number;
  tokensSent: number;
  tokensReceived: number;
  /** In the currency of the prices. */
  price?: number;
}

const MILLION = 1e6;

/** `0.15,0.60` → prices of a million tokens sent and received. */
export function pricesOf(text: string | undefined): [number, number] | undefined {
  if (text === undefined) return undefined;
  const prices = text.split(',').map((part) => (/\S/.test(part) ? Number(part) : Number.NaN));
  if (prices.length === 2 && prices.every((price) => Number.isFinite(price) && price >= 0))
    return [prices[0]!, prices[1]!];
  throw new UserError(
    `--judge-price: expected two prices of a million tokens, sent and received, as 0.15,0.60; found '${text}'.`,
  );
}

/** An estimate for each judge that asks, over the evaluations that `isMissing`. */
export async function estimates(
  plan: Plan,
  registry: Registry,
  values: Values,
  isMissing: (key: string) => Promise<boolean>,
): Promise<JudgingEstimate[]> {
  const prices = pricesOf(values['judge-price'] as string | undefined);
  const found = new Map<string, JudgingEstimate>();
  for (const { key, task } of evaluationsOf(plan)) {
    const judges = askingJudges(task);
    if (judges.length === 0 || !(await isMissing(key))) continue;
    const judged = (await registry.get('task', task.id)).judgedTexts?.(task.options);
    if (!judged) continue;
    for (const judge of judges) {
      const { requests, promptTokens, texts, replyTokens } = (await registry.get('judge', judge.id)).asks!(
        judge.options,
      );
      const name = JSON.stringify(judge);
      const sum = found.get(name) ?? {
        ...{ judge: judge.id, model: String(judge.options['model']), endpoint: judge.endpoint! },
        ...{ texts: 0, requests: 0, tokensSent: 0, tokensReceived: 0 },
      };
      sum.texts += judged.texts;
      sum.requests += Math.ceil(judged.texts * requests);
      sum.tokensSent += Math.ceil(judged.texts * (promptTokens + texts * judged.tokensPerText));
      sum.tokensReceived += Math.ceil(judged.texts * replyTokens);
      found.set(name, sum);
    }
  }
  return [...found.values()].map((sum) =>
    prices ? { ...sum, price: (sum.tokensSent * prices[0] + sum.tokensReceived * prices[1]) / MILLION } : sum,
  );
}

const counted = (value: number): string => value.toLocaleString('en');
const millions = (tokens: number): string => `${(tokens / MILLION).toPrecision(2)} M`;

/** An estimate in a line. */
export function estimateLine({ judge, model, endpoint, ...sums }: JudgingEstimate): string {
  const { texts, requests, tokensSent, tokensReceived, price } = sums;
  const cost =
    price === undefined
      ? '; --judge-price IN,OUT tells what they cost'
      : `: about ${price.toFixed(2)} by --judge-price`;
  return (
    `judge ${judge}, ${model} at ${endpoint}: at most ${counted(requests)} requests for ${counted(texts)} texts, less what was ` +
    `asked before or comes twice; about ${millions(tokensSent)} tokens sent and ${millions(tokensReceived)} received${cost}`
  );
}
