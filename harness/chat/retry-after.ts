/** @file How long a server asks to wait: `Retry-After` in its two forms (RFC 9110 §10.2.3), and OpenAI's in milliseconds. */

/** Milliseconds from `now` on, not below 0; undefined where the headers do not say it. */
export function retryAfter(headers: Headers, now: number): number | undefined {
  const precise = Number(headers.get('retry-after-ms') ?? Number.NaN);
  if (Number.isFinite(precise) && precise >= 0) return precise;
  const text = headers.get('retry-after')?.trim();
  if (text === undefined || text === '') return undefined;
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
