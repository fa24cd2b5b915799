/**
 * @file A rater in a browser: the page of an assessment is answered from the first question to the last by keys, goes on after it
 * was closed, saves ratings.csv, asks nothing of the network, fits a phone.
 * `node reports/testing/assess-browser.mjs FOLDER [RATINGS.csv]`, where FOLDER is what `saxbench assess export` wrote; answers
 * as the key says, and keeps the ratings where told. Where there is no browser, it says so and passes.
 */
import assert from 'node:assert/strict';
import { copyFileSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { findBrowser } from './find-browser.mjs';

const [folder, kept] = process.argv.slice(2);
const [header, ...items] = readFileSync(join(folder, 'items.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line));
const gold = new Map(
  JSON.parse(readFileSync(join(folder, 'key.json'), 'utf8')).items.map(({ id, gold }) => [id, gold]),
);
const words = header.protocol === 'name';
const yesNo = ['detection', 'fuzzing'].includes(header.protocol);

const browser = await findBrowser();
if (!browser) process.exit(0);
try {
  const context = await browser.newContext({ viewport: { width: 1400, height: 900 }, acceptDownloads: true });
  const page = await context.newPage();
  const complaints = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  page.on(
    'request',
    (request) => /^(file|data|blob):/.test(request.url()) || complaints.push(`asks for ${request.url()}`),
  );
  const url = pathToFileURL(resolve(folder, 'assess.html')).href;
  const begin = async () => {
    await page.goto(url);
    await page.locator('#rater').fill('r "1", É');
    await page.keyboard.press('Enter');
  };
  const press = async (answer) => {
    if (!words) await page.keyboard.press(yesNo ? answer[0] : answer);
    else if (answer === 'none') await page.keyboard.press('Alt+0');
    else {
      await page.locator('#words').fill(answer);
      await page.keyboard.press('Enter');
    }
  };
  const answerOf = ({ id }, i) => gold.get(id) ?? (words ? (i % 3 === 0 ? 'none' : `name, "${i}"`) : '1');
  const count = () => page.locator('#count').textContent();

  await begin();
  const half = Math.ceil(items.length / 2);
  for (const [i, item] of items.slice(0, half).entries()) {
    assert.match(await count(), new RegExp(`^Question ${i + 1} of ${items.length}, ${items.length - i} to answer$`));
    assert.equal(await page.locator('#note').isVisible(), item.note !== undefined);
    await press(answerOf(item, i));
  }
  // Closed half-way: the rater finds the answers again, and the first open question.
  await begin();
  assert.match(
    await count(),
    new RegExp(`^Question ${half + 1} of ${items.length}, ${items.length - half} to answer$`),
  );
  // Another answer counts in place of the first; back and forth changes nothing else.
  if (!words) {
    await page.keyboard.press('ArrowLeft');
    const [right, wrong] = [answerOf(items[half - 1], half - 1), yesNo ? ['yes', 'no'] : ['1', '2']];
    await press(wrong.find((each) => each !== right));
    await page.keyboard.press('ArrowLeft');
    await press(right);
    await page.keyboard.press('s');
    assert.match(await count(), new RegExp(`^Question ${half + 2} of`));
    await page.keyboard.press('ArrowLeft');
  }
  for (const [i, item] of items.slice(half).entries()) await press(answerOf(item, half + i));
  assert.match(await count(), /^All answered/);

  const [download] = await Promise.all([page.waitForEvent('download'), page.locator('#save').click()]);
  assert.equal(download.suggestedFilename(), 'ratings.csv');
  const saved = await download.path();
  const [head, ...lines] = readFileSync(saved, 'utf8').trimEnd().split('\n');
  assert.equal(head, 'set,rater,item,answer,seconds');
  assert.deepEqual(
    lines.map((line) => line.replace(/,[\d.]+$/, '')),
    items.map((item, i) => {
      const answer = answerOf(item, i);
      return `${header.set},"r ""1"", É",${item.id},${/[",]/.test(answer) ? `"${answer.replaceAll('"', '""')}"` : answer}`;
    }),
  );
  if (kept) copyFileSync(saved, kept);

  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    for (const width of [390, 700, 1400]) {
      await page.setViewportSize({ width, height: 800 });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(wide <= width, `at ${width} px the page is ${wide} px wide`);
    }
  }
  assert.deepEqual(complaints, []);
  console.log(
    `${items.length} questions (${header.protocol}) answered by keys, gone on with after closing, saved; fits 390, 700 and 1400 px`,
  );
} finally {
  await browser.close();
}
