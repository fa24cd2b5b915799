/** @file Short technical texts with a place for a string: base64, plain words, or what looks like base64 and is not. */
import type { Rng } from '../../../harness/contract.ts';
import { base64Runs, encoded } from './runs.ts';

/** What stands in the text: base64; words; hexadecimal digits, identifiers, paths and the like. */
export type Filling = 'base64' | 'words' | 'lookalike';

const WORDS =
  'account archive answer battery board bridge budget build button camera carbon center chapter client cloud column copper court cover crop cycle data dealer delta desk device dinner draft driver east editor engine entry error event factory family field file filter finish fleet floor folder forest frame garden glass grain group guide harbor heat hotel house image index island journal kernel kitchen label ladder laser lemon letter level library light limit list machine manual margin market matrix meeting member memory message metal meter mirror model module monitor motor music network night north note number office orange order paper parcel parser partner path pattern permit photo planet plate pocket point policy print profile project queue quota radio record region report river road room sample scale school score screen sector sensor server shadow signal silver sketch socket source space spring square station status stone storage stream street summer supply switch system table target team ticket timber token tower track train travel tunnel unit update valley value vendor version view village volume water weather window winter yellow zone'.split(
    ' ',
  );

/** Templates: `#` is a number, `~` a word, `@` the string. None says what the string is. */
const TEMPLATES = [
  'From: ~@mail.example\nSubject: ~ ~\nContent-Type: application/octet-stream; name="~.bin"\n\n%',
  'GET /~/# HTTP/1.1\nHost: ~.example\nAuthorization: %\nAccept: */*',
  '{\n  "name": "~",\n  "version": #,\n  "value": "%",\n  "enabled": true\n}',
  'The ~ for the ~ is stored as % in the ~ table.',
  '<div class="~">\n  <p>~ ~</p>\n  <span data-value="%"></span>\n</div>',
  '~:\n  ~: #\n  secret: %\n  ~: ~',
  'const ~ = "%";\nconsole.log(~.length, #);',
  'User: What does this say?\n%\nAssistant: It says something about the ~ and the ~.',
  'export ~_KEY="%"\n./run --~ #',
  '[#] INFO ~: received % from ~',
  'Please copy this line into the ~ file: %',
  '| ~ | ~ |\n| --- | --- |\n| # | % |',
  'Cookie: session=%; ~=#',
  'Step #. Paste % and press ~.',
];

const word = (rng: Rng) => rng.choice(WORDS);
const words = (n: number, rng: Rng) => Array.from({ length: n }, () => word(rng)).join(' ');
const capital = (text: string) => text[0]!.toUpperCase() + text.slice(1);

/** Bytes of base64: of words in a third of all strings, else random ones. 24 to 96 characters. */
function base64String(rng: Rng): string {
  for (;;) {
    const size = 18 + rng.int(55);
    const plain = words(16, rng).slice(0, size);
    const bytes = rng.int(3) === 0 ? Buffer.from(plain) : Uint8Array.from({ length: size }, () => rng.int(256));
    const text = encoded(bytes);
    // Now and then a string has too few digits or changes to be told: it is none then.
    if (base64Runs(text).length > 0) return text;
  }
}

const HEX = '0123456789abcdef';
const hex = (n: number, rng: Rng) => Array.from({ length: n }, () => HEX[rng.int(16)]).join('');

/** Each is no base64, though all its characters or most are of that alphabet. */
const LOOKALIKES: readonly ((rng: Rng) => string)[] = [
  (rng) => hex(32 + 16 * rng.int(3), rng),
  (rng) => [8, 4, 4, 4, 12].map((n) => hex(n, rng)).join('-'),
  (rng) => `/${Array.from({ length: 5 + rng.int(4) }, () => word(rng)).join('/')}/${word(rng)}${rng.int(100)}`,
  (rng) => word(rng) + Array.from({ length: 4 + rng.int(4) }, () => capital(word(rng))).join('') + rng.int(100),
  (rng) => Array.from({ length: 5 + rng.int(4) }, () => word(rng).toUpperCase()).join('_'),
  (rng) => Array.from({ length: 24 + rng.int(24) }, () => rng.int(10)).join(''),
];

function filling(kind: Filling, rng: Rng): string {
  if (kind === 'base64') return base64String(rng);
  if (kind === 'words') return words(5 + rng.int(9), rng);
  for (;;) {
    const text = rng.choice(LOOKALIKES)(rng);
    if (base64Runs(text).length === 0) return text;
  }
}

/** A text of one template, which is drawn first: with one state of the stream the three kinds differ in the string alone. */
export function base64Text(kind: Filling, rng: Rng): string {
  const template = rng.choice(TEMPLATES);
  const names = rng.fork('names');
  const framed = template.replace(/[~#]/g, (sign) => (sign === '#' ? String(1 + names.int(99)) : word(names)));
  return framed.replace('%', () => filling(kind, rng.fork('string')));
}
