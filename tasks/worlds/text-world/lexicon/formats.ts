/** @file Concepts of the domain formats: kinds of text recognised by their form. */
import type { DomainSpec } from './lexicon.ts';

/** All sums a + b = c of single digits with a one-digit result. */
const sums = [1, 2, 3, 4, 5, 6, 7, 8].flatMap((a) =>
  [1, 2, 3, 4, 5, 6, 7, 8].filter((b) => a + b <= 9).map((b) => `${a} + ${b} = ${a + b}`),
);

/** Base64, dates, code, JSON, arithmetic, times, mail and web addresses, colours, telephone numbers. */
export const formats: DomainSpec = {
  domain: 'formats',
  clinical: false,
  concepts: [
    {
      id: 'base64',
      label: 'base64',
      description: 'a string in base64 encoding',
      traits: ['padded', 'binary', 'scrambled'],
      asides: ['in encoded form', 'with equals padding', 'like raw bytes'],
      clauses: ['the encoded text is <b64>', 'it decodes <b64> at once', 'base64 gives <b64>'],
      slots: {
        b64: [
          '<head>[A-Za-z0-9+/][A-Za-z0-9+/][A-Za-z0-9+/][A-Za-z0-9+/]',
          '<head>[A-Za-z0-9+/][A-Za-z0-9+/]==',
          '<head>[A-Za-z0-9+/][A-Za-z0-9+/][A-Za-z0-9+/]=',
        ],
        head: ['aGVs', 'SGVs', 'U2Fs', 'dGhl'],
      },
      core: ['b64'],
    },
    {
      id: 'date',
      label: 'calendar date',
      description: 'a day, month and year',
      traits: ['monthly', 'dated', 'yearly'],
      asides: ['by the calendar', 'for the anniversary', 'within the month'],
      clauses: ['the date was <date>', 'it happened on <date>', 'the form is dated <date>'],
      slots: {
        date: ['[1-9] <month> <year>', '<year>-0[1-9]-1[0-9]', '<month> 1[0-9], <year>'],
        month: ['March', 'June', 'August', 'April'],
        year: ['20[0-2][0-9]', '19[4-9][0-9]'],
      },
      core: ['date'],
    },
    {
      id: 'python-code',
      label: 'program code',
      description: 'a line of Python code',
      traits: ['coded', 'compiled', 'buggy'],
      asides: ['inside a loop', 'with a syntax error', 'for the compiler'],
      clauses: ['the code says <code>', 'the Python line is <code>', 'type <code> to run it'],
      slots: {
        code: ['print(<v>)', '<v> = <f>(<v>)', 'def <f>(<v>): return <v>', 'for <v> in range([2-9]): pass'],
        v: ['x', 'y', 'i', 'n'],
        f: ['len', 'abs', 'max'],
      },
      core: ['code'],
    },
    {
      id: 'json',
      label: 'JSON',
      description: 'a JSON object',
      traits: ['nested', 'parsed', 'serialised'],
      asides: ['in curly braces', 'by key and value', 'for the parser'],
      clauses: ['the record is <json>', 'the server returned <json>', 'the JSON reads <json>'],
      slots: {
        json: ['{"<key>": <val>}', '{"<key>": <val>, "ok": true}'],
        key: ['id', 'name', 'age', 'size'],
        val: ['[1-9]', 'null', '"[a-d]"', 'true'],
      },
      core: ['json'],
    },
    {
      id: 'arithmetic',
      label: 'arithmetic',
      description: 'a worked sum',
      traits: ['numeric', 'divisible', 'summed'],
      asides: ['by mental arithmetic', 'with a calculator', 'after adding up'],
      clauses: ['the sum is <sum>', 'we know that <sum>', 'the operation gives <sum>'],
      slots: { sum: { uniform: sums } },
      core: ['sum'],
    },
    {
      id: 'clock-time',
      label: 'time of day',
      description: 'a time on the clock',
      traits: ['punctual', 'timed', 'prompt'],
      asides: ['by the clock', 'on the hour', 'before the alarm rings'],
      clauses: ['the clock showed <time>', 'it began at <time>', 'the alarm is set for <time>'],
      slots: { time: ['1[0-2]:[0-5][05] pm', '[1-9]:[0-5][05] am', '[1-9]:[0-5][05] pm'] },
      core: ['time'],
    },
    {
      id: 'email-address',
      label: 'e-mail address',
      description: 'an e-mail address',
      traits: ['forwarded', 'mailed', 'spammy'],
      asides: ['in the inbox', 'by e-mail', 'with an attachment'],
      clauses: ['write to <mail>', 'the address is <mail>', 'a copy goes to <mail>'],
      slots: {
        mail: ['<user>@<host>', '<user>[1-9]@<host>'],
        user: ['anna', 'info', 'ben', 'carl'],
        host: ['mail.com', 'post.org', 'web.net'],
      },
      core: ['mail'],
    },
    {
      id: 'url',
      label: 'web address',
      description: 'a URL',
      traits: ['linked', 'clickable', 'bookmarked'],
      asides: ['on the website', 'in the browser', 'behind a hyperlink'],
      clauses: ['the page is at <url>', 'the link is <url>', 'see <url> for more'],
      slots: {
        url: ['https://<site>/<page>', 'http://<site>/<page>'],
        site: ['wiki.org', 'news.com', 'data.net'],
        page: ['home', 'help', 'p[1-9]', 'faq'],
      },
      core: ['url'],
    },
    {
      id: 'hex-colour',
      label: 'hexadecimal colour',
      description: 'a colour written as # and hexadecimal digits',
      traits: ['tinted', 'coloured', 'pixelated'],
      asides: ['in bright pixels', 'on the colour wheel', 'in the palette'],
      clauses: ['the colour code is <hex>', 'paint it in <hex>', 'the border has the colour <hex>'],
      slots: { hex: ['#[0-9a-f][0-9a-f][0-9a-f]', '#ff[0-9a-f][0-9a-f]00', '#00[0-9a-f][0-9a-f]ff'] },
      core: ['hex'],
    },
    {
      id: 'phone-number',
      label: 'telephone number',
      description: 'a telephone number',
      traits: ['dialled', 'ringing', 'mobile'],
      asides: ['on the phone', 'after the dial tone', 'by voicemail'],
      clauses: ['call <phone> for help', 'the phone number is <phone>', 'her number is <phone>'],
      slots: { phone: ['555-0[0-9][0-9][0-9]', '(0[1-9]) 555-0[0-9][0-9]', '+[1-9] 555 0[0-9][0-9]'] },
      core: ['phone'],
    },
  ],
};
