/** @file A Chromium of this machine, without a window: prints drawings to PDF, all by one process. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { UserError } from '../../harness/errors.ts';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome.exe', 'msedge.exe'];
const PLACES = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
];

/** The browser that is on the PATH, or where macOS keeps it; undefined where there is none. */
export function findChromium(path = process.env['PATH'] ?? ''): string | undefined {
  const onPath = path.split(delimiter).flatMap((folder) => NAMES.map((name) => join(folder, name)));
  return [...onPath, ...PLACES].find((file) => existsSync(file));
}

/** @throws UserError where there is no browser. */
export function requireChromium(path?: string): string {
  const found = findChromium(path);
  if (found !== undefined) return found;
  throw new UserError(
    `report: --format pdf is printed by Chromium or Chrome: expected ${NAMES.slice(0, 3).join(' or ')} on the PATH; found none. ` +
      'Install one, or take --format svg.',
  );
}

type Answer = Record<string, unknown>;

/** Milliseconds that a browser may be silent for. */
const PATIENCE = 60_000;

/** Requests and answers of the DevTools protocol over a pipe: JSON, each behind a zero byte. */
class Connection {
  private readonly waiting = new Map<number, { resolve(answer: Answer): void; reject(error: Error): void }>();
  private rest = '';
  private last = 0;
  private readonly to: Writable;

  constructor(to: Writable, from: Readable) {
    this.to = to;
    from.setEncoding('utf8').on('data', (text: string) => this.read(text));
    to.on('error', (error) => this.fail(error));
  }

  /** Gives up on all that is not answered. */
  fail(error: Error): void {
    for (const { reject } of this.waiting.values()) reject(error);
    this.waiting.clear();
  }

  async ask(method: string, params: object = {}, sessionId?: string): Promise<Answer> {
    const id = ++this.last;
    const answer = new Promise<Answer>((resolve, reject) => this.waiting.set(id, { resolve, reject }));
    const late = setTimeout(() => this.fail(new Error(`no answer to ${method}`)), PATIENCE);
    this.to.write(`${JSON.stringify({ id, method, params, ...(sessionId ? { sessionId } : {}) })}\0`);
    return answer.finally(() => clearTimeout(late));
  }

  private read(text: string): void {
    const messages = `${this.rest}${text}`.split('\0');
    this.rest = messages.pop()!;
    for (const message of messages) {
      const { id, result, error } = JSON.parse(message) as { id?: number; result?: Answer; error?: Error };
      const asked = id === undefined ? undefined : this.waiting.get(id);
      if (!asked) continue;
      this.waiting.delete(id!);
      if (error) asked.reject(new Error(error.message));
      else asked.resolve(result!);
    }
  }
}

/** Pixels of CSS an inch. */
const PIXELS = 96;

interface Drawing {
  text: string;
  width: number;
  height: number;
}

/** The time of printing, which would make another file of the same drawing each time. */
const withoutDates = (pdf: Buffer): Buffer =>
  Buffer.from(pdf.toString('latin1').replaceAll(/\(D:\d{14}(?=[+Z-])/g, '(D:20000101000000'), 'latin1');

async function printed(browser: Connection, page: string, { text, width, height }: Drawing): Promise<Buffer> {
  const style = `@page{size:${width}px ${height}px;margin:0}html,body{margin:0}svg{display:block}`;
  const html = `<!doctype html><meta charset="utf-8"><style>${style}</style>${text.replace(/^<\?xml[^>]*>\s*/, '')}`;
  const { frameTree } = (await browser.ask('Page.getFrameTree', {}, page)) as { frameTree: { frame: { id: string } } };
  await browser.ask('Page.setDocumentContent', { frameId: frameTree.frame.id, html }, page);
  const paper = { paperWidth: width / PIXELS, paperHeight: height / PIXELS, pageRanges: '1' };
  const margins = { marginTop: 0, marginBottom: 0, marginLeft: 0, marginRight: 0 };
  const options = { ...paper, ...margins, printBackground: true, preferCSSPageSize: true };
  const { data } = await browser.ask('Page.printToPDF', options, page);
  return withoutDates(Buffer.from(data as string, 'base64'));
}

/**
 * Each drawing (an SVG file) as a PDF file of one page of its size.
 *
 * @throws UserError when the browser does not start or ends early, with what it said.
 */
export async function printPdfs(executable: string, drawings: readonly Drawing[]): Promise<Buffer[]> {
  const profile = await mkdtemp(join(tmpdir(), 'saxbench-chromium-'));
  const args = [
    '--headless',
    '--disable-gpu',
    '--no-first-run',
    '--remote-debugging-pipe',
    `--user-data-dir=${profile}`,
  ];
  // Chromium refuses to run as root with its sandbox; it shows our own drawings, without scripts or requests.
  if (process.getuid?.() === 0) args.push('--no-sandbox');
  const child = spawn(executable, args, { stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'] });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const said: string[] = [];
  child.stderr!.setEncoding('utf8').on('data', (text: string) => said.push(text));
  const browser = new Connection(child.stdio[3] as Writable, child.stdio[4] as Readable);
  child.once('error', (error) => browser.fail(error));
  child.once('exit', (code) => browser.fail(new Error(`it ended with code ${code}`)));
  try {
    const { targetId } = await browser.ask('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await browser.ask('Target.attachToTarget', { targetId, flatten: true });
    const files: Buffer[] = [];
    for (const drawing of drawings) files.push(await printed(browser, sessionId as string, drawing));
    return files;
  } catch (error) {
    const last = said.join('').trim().split('\n').at(-1);
    const why = [(error as Error).message, ...(last ? [`it said: ${last}`] : [])].join('; ');
    throw new UserError(`report: --format pdf: ${executable} printed no PDF: ${why}. Mend that, or take --format svg.`);
  } finally {
    child.kill('SIGKILL');
    await ended;
    await rm(profile, { recursive: true, force: true, maxRetries: 3 });
  }
}
