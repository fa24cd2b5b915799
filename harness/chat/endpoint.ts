/** @file Where a chat model is asked, and with which key: from the command line and the environment alone. */
import { UserError } from '../errors.ts';

/** An endpoint as it is asked. The key goes into one request header and nowhere else. */
export interface Endpoint {
  /** `https://host/v1`, without a slash at the end. */
  url: string;
  key?: string;
}

export const KEY_VARIABLE = 'SAXBENCH_JUDGE_KEY';
/** Sent to its own service only. */
const OPENAI = { variable: 'OPENAI_API_KEY', host: 'api.openai.com' };

const EXAMPLES = 'as https://api.openai.com/v1 or http://localhost:8000/v1';

/**
 * The endpoint of a URL, with the key that the environment has for it.
 *
 * @throws UserError for what is no URL of HTTP, or holds a key itself: it would stand in results. The message shows neither.
 */
export function endpointOf(given: string, environment: NodeJS.ProcessEnv): Endpoint {
  const fail = (found: string): never => {
    throw new UserError(
      `--judge-url: expected the base URL of an OpenAI-compatible endpoint, ${EXAMPLES}; found ${found}.`,
    );
  };
  const url = URL.canParse(given) ? new URL(given) : fail('what is no URL');
  if (!/^https?:$/.test(url.protocol)) fail(`the scheme '${url.protocol.slice(0, 20)}'`);
  if (url.username !== '' || url.password !== '') fail(`one with a user or password: put the key into ${KEY_VARIABLE}`);
  if (url.search !== '' || url.hash !== '') fail(`one with '?' or '#': put a key into ${KEY_VARIABLE}`);
  const path = url.pathname.replace(/\/+$/, '').replace(/\/chat\/completions$/, '');
  const key = keyFor(url, environment);
  return { url: `${url.origin}${path}`, ...(key === undefined ? {} : { key }) };
}

function keyFor({ host }: URL, environment: NodeJS.ProcessEnv): string | undefined {
  const names = [KEY_VARIABLE, ...(host === OPENAI.host ? [OPENAI.variable] : [])];
  const variable = names.find((name) => (environment[name] ?? '') !== '');
  const key = variable === undefined ? undefined : environment[variable]!.trim();
  // A header cannot hold more, and the error that fetch throws would show it.
  if (key === undefined || /^[!-~]+$/.test(key)) return key;
  throw new UserError(`${variable}: expected a key of visible ASCII characters without spaces; found others.`);
}

/** Whether a key would cross a network that others can read. */
export function sendsKeyInClear({ url, key }: Endpoint): boolean {
  const { protocol, hostname } = new URL(url);
  return key !== undefined && protocol === 'http:' && !/^(localhost|127\.[\d.]+|\[::1\])$/.test(hostname);
}

/** A text from the endpoint without the key, which some of them repeat. */
export const withoutKey = (text: string, { key }: Pick<Endpoint, 'key'>): string =>
  key === undefined ? text : text.replaceAll(key, '…');
