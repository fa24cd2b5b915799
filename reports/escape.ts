/**
 * @file Names and texts from results made safe for the file that they go into. They come from plug-ins, suites and files
 * of others: none may become a tag, a link or a table's border, nor a formula where a spreadsheet opens the file.
 */

/** Characters that a Markdown text must not bring along: HTML, links, images, code, emphasis, tables. */
const MARKDOWN = /[\\`*_[\]<>|~&]/g;

/** `&` is only special as the start of an entity; `_` and `*` only at the edge of a word. */
function special(character: string, at: number, text: string): boolean {
  if (character === '&') return /^&(?:#\w+|\w+);/.test(text.slice(at));
  if (character === '_') return !(/\w/.test(text[at - 1] ?? '') && /\w/.test(text[at + 1] ?? ''));
  return true;
}

/** Line breaks, with the blanks about them, as one space. */
const onOneLine = (text: string): string => text.replaceAll(/\s*[\r\n\u2028\u2029]+\s*/g, ' ');

/** One line of Markdown that shows the text as it is: for headings, sentences and cells of tables. */
export function markdownText(text: string): string {
  const escaped = text.replaceAll(MARKDOWN, (character, at: number) => {
    if (!special(character, at, text)) return character;
    // A tag is best no tag in any renderer, also in those that know no backslash before it.
    if (character === '<') return '&lt;';
    if (character === '>') return '&gt;';
    return `\\${character}`;
  });
  return onOneLine(escaped);
}

/** The text as code, on one line: nothing in it is special but the backtick, and in tables the bar. */
export function markdownCode(text: string): string {
  const line = onOneLine(text).replaceAll('`', "'").replaceAll('|', '\\|');
  return `\`${line}\``;
}

/**
 * A text cell that no spreadsheet takes for a formula: one that begins with `=`, `+`, `-`, `@`, a tab or a line break
 * gets an apostrophe before it, the sign of spreadsheets for plain text.
 */
export function csvText(text: string): string {
  return /^[=+\-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20]/.test(text) ? `'${text}` : text;
}

const HTML: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** The text in an element or an attribute in quotes. */
export const htmlText = (text: string): string => text.replaceAll(/[&<>"']/g, (character) => HTML[character]!);

/** JSON within a `<script>` element: no text of it ends the element or begins a comment. */
export const scriptJson = (value: unknown): string =>
  JSON.stringify(value).replaceAll('<', '\\u003c').replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');

const LATEX: Readonly<Record<string, string>> = {
  '\\': '\\textbackslash{}',
  '~': '\\textasciitilde{}',
  '^': '\\textasciicircum{}',
  '<': '\\textless{}',
  '>': '\\textgreater{}',
  '|': '\\textbar{}',
  // Behind the end of a row both belong to it: a name may be the first thing in the next.
  '[': '{[}',
  '*': '{*}',
  // What texts of tasks have and pdfLaTeX does not know; other scripts need XeLaTeX or LuaLaTeX.
  '≈': '$\\approx$',
  '−': '$-$',
  '≤': '$\\le$',
  '≥': '$\\ge$',
  '→': '$\\to$',
  '∞': '$\\infty$',
  '²': '$^2$',
  α: '$\\alpha$',
  β: '$\\beta$',
  γ: '$\\gamma$',
  δ: '$\\delta$',
  ζ: '$\\zeta$',
  η: '$\\eta$',
  θ: '$\\theta$',
  λ: '$\\lambda$',
  μ: '$\\mu$',
  ρ: '$\\rho$',
  σ: '$\\sigma$',
  φ: '$\\phi$',
};

/** The text in LaTeX as it is, on one line: no command, no comment, no cell's end. */
export const latexText = (text: string): string =>
  onOneLine(text).replaceAll(
    /[\\~^{}$&#_%<>|[*≈−≤≥→∞²α-ω]/g,
    (character) => LATEX[character] ?? (/[α-ω]/.test(character) ? character : `\\${character}`),
  );
