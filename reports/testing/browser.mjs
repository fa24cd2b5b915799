/**
 * @file The HTML report in a browser: sorts, filters, switches methods, tells at the pointer, turns dark, fits a phone.
 * `node reports/testing/browser.mjs REPORT.html`; where there is no Chromium or no playwright-core, it says so and passes.
 */
import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { findChromium, printPdfs } from '../../dist/reports/figures/chromium.js';
import { findBrowser } from './find-browser.mjs';

const browser = await findBrowser();
if (!browser) process.exit(0);
try {
  const page = await browser.newPage({ viewport: { width: 1400, height: 900 }, colorScheme: 'light' });
  const complaints = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  page.on('request', (request) => request.url().startsWith('file:') || complaints.push(`asks for ${request.url()}`));
  await page.goto(pathToFileURL(resolve(process.argv[2])).href);

  // Sort: the first column of numbers of the overview, within each band.
  const head = page.locator('thead').first().locator('th[data-sort]').nth(1);
  const order = () =>
    page.evaluate(() =>
      [...document.querySelector('table').tBodies].map((body) =>
        [...body.querySelectorAll('tr[data-m]')].map(({ dataset, cells }) => [dataset.m, cells[1].dataset.v]),
      ),
    );
  const given = await order();
  const numbers = (bands) =>
    bands.map((rows) => rows.flatMap(([, value]) => (value === undefined ? [] : [Number(value)])));
  for (const [said, sign] of [
    ['descending', -1],
    ['ascending', 1],
  ]) {
    await head.locator('button').click();
    assert.equal(await head.getAttribute('aria-sort'), said);
    const sorted = numbers(await order());
    assert.deepEqual(
      sorted,
      sorted.map((band) => [...band].sort((a, b) => sign * (a - b))),
      said,
    );
  }
  await head.locator('button').press('Enter');
  assert.deepEqual(await order(), given, 'the third time in the order of the report');

  // Switch and filter: what is off is in no table and in no plot.
  const seen = (selector) =>
    page.evaluate(
      (at) => [...document.querySelectorAll(at)].filter((each) => getComputedStyle(each).display !== 'none').length,
      selector,
    );
  // Of one kind alone there may be a report too.
  const kinds = await page.evaluate(() =>
    [...document.querySelectorAll('tr[data-m]')].map(({ dataset }) => dataset.kind),
  );
  const kind = kinds.includes('baseline') ? 'baseline' : kinds[0];
  const ofKind = `[data-kind="${kind}"]`;
  const name = await page.locator(`tr${ofKind}`).first().getAttribute('data-m');
  const drawn = `svg [data-m="${name}"]`;
  const strokes = await seen(drawn);
  assert.ok((await seen(`tr${ofKind}`)) > 0);
  await page.locator(`button[data-k="${kind}"]`).click();
  assert.equal(await seen(`tr${ofKind}`), 0);
  assert.equal(await seen(drawn), 0);
  await page.locator('#reset').click();
  assert.equal(await seen(drawn), strokes);
  const wanted = await page.locator('tr[data-m]').last().getAttribute('data-m');
  await page.locator('#search').fill(wanted);
  const named = await page.evaluate(() =>
    [...document.querySelectorAll('tr[data-m]')]
      .filter((row) => getComputedStyle(row).display !== 'none')
      .map((row) => row.textContent),
  );
  assert.ok(named.length > 0 && named.every((text) => text.includes(wanted)));
  await page.locator('#reset').click();
  // Of few methods, or a run without curves, no plot has a legend; then there is none to try.
  const entry = page.locator('.legend li[data-m]').filter({ visible: true }).first();
  if (await entry.count()) {
    const ofEntry = `tr[data-m="${await entry.getAttribute('data-m')}"]`;
    await entry.click();
    assert.equal(await seen(ofEntry), 0, 'a line of a legend switches its method');
    await page.locator('#reset').click();
  }

  // Texts at the pointer, of a heading and of a point of a plot.
  const tip = page.locator('#tip');
  const defined = page.locator('thead th[data-tip]').first();
  // Scrolling hides what is told: it must have come to rest.
  const atRest = async (element) => {
    await element.scrollIntoViewIfNeeded();
    await page.waitForTimeout(300);
  };
  await atRest(defined);
  await defined.hover();
  await tip.waitFor({ state: 'visible', timeout: 2000 });
  assert.equal(await tip.textContent(), await defined.getAttribute('data-tip'));
  const point = page.locator('svg path[data-tip]').filter({ visible: true }).first();
  if (await point.count()) {
    await atRest(point);
    await point.dispatchEvent('pointerover');
    assert.ok(await tip.isVisible());
    assert.equal(await tip.textContent(), await point.getAttribute('data-tip'));
  }

  // The browser of latents: a card each, with marked tokens or pictures; words find them.
  if (await page.locator('#latent-data').count()) {
    const cards = page.locator('#latent-cards .card');
    const all = await cards.count();
    assert.ok(all > 0);
    assert.ok((await page.locator('#latent-cards').locator('mark, img, blockquote').count()) > 0);
    const title = await cards.first().locator('b').textContent();
    await page.locator('#latent-search').fill(title.match(/\d+/)[0]);
    assert.ok((await cards.locator('b').allTextContents()).includes(title));
    await page.locator('#latent-search').fill('no latent has these words');
    assert.equal(await cards.count(), 0);
    await page.locator('#latent-search').fill('');
    assert.equal(await cards.count(), all);
    for (const picture of await page.locator('#latent-cards img').all())
      assert.ok(await picture.evaluate((image) => image.decode().then(() => image.naturalWidth > 0)));
  }

  // The browser of concepts: as wide as there are methods, and a click tells what was used.
  if (await page.locator('#concept-data').count()) {
    const rows = page.locator('#concept-rows tbody tr');
    assert.ok((await rows.count()) > 0);
    await rows.first().locator('button').click();
    for (const picture of await page.locator('#concept-rows .strip img').all())
      assert.ok(await picture.evaluate((image) => image.decode().then(() => image.naturalWidth > 0)));
    assert.ok(await page.locator('#concept-rows .cards').isVisible());
    await page.locator('#concept-search').fill('no concept is called so');
    assert.equal(await rows.filter({ visible: true }).count(), 0);
    await page.locator('#concept-search').fill('');
    const heads = page.locator('#concept-rows thead th[data-sort]');
    await heads.nth(1).locator('button').click();
    assert.equal(await heads.nth(1).getAttribute('aria-sort'), 'descending');
  }

  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await background();
  await page.locator('#theme').click();
  const dark = await background();
  assert.notEqual(dark, light);
  await page.emulateMedia({ media: 'print' });
  assert.equal(await background(), light, 'paper is light');
  await page.emulateMedia({ media: 'screen' });

  for (const width of [390, 700, 1400]) {
    await page.setViewportSize({ width, height: 800 });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= width, `at ${width} px the page is ${wide} px wide`);
  }
  assert.deepEqual(complaints, []);

  // A figure for a paper: one page of its size, the same each time.
  const text = '<svg xmlns="http://www.w3.org/2000/svg" width="96" height="48"><text y="20">α</text></svg>';
  const [once, again] = await printPdfs(
    findChromium(),
    [text, text].map((each) => ({ text: each, width: 96, height: 48 })),
  );
  assert.match(once.toString('latin1'), /^%PDF-[\s\S]*\/MediaBox \[0 0 72 36\]/);
  assert.ok(once.equals(again));
  console.log('sorts, filters, switches, tells, turns dark, fits 390, 700 and 1400 px, prints');
} finally {
  await browser.close();
}
