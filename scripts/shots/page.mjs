// What the browser checks ask of every page: no error in its console, nothing that axe
// finds against WCAG 2.2 AA, and no sideways scrolling.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { root } from './hub.mjs';

const axe = readFileSync(`${root}/.tools/shots/node_modules/axe-core/axe.min.js`, 'utf8');
const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** open opens a page in a context of its own. Errors in its console are added to logged. */
export async function open(browser, url, { width = 1280, height = 900, logged, ...options } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, reducedMotion: 'reduce', ...options });
  const page = await context.newPage();
  page.on('pageerror', (error) => logged.push(String(error.stack)));
  page.on('console', (message) => message.type() === 'error' && logged.push(message.text()));
  await page.goto(url);
  return page;
}

/** isAccessible fails with what axe finds on a page, in light and in dark, and on a phone. */
export async function isAccessible(page, name) {
  const before = page.viewportSize();
  for (const [colorScheme, width] of [
    ['light', before.width],
    ['dark', before.width],
    ['light', 390],
  ]) {
    await page.setViewportSize({ ...before, width });
    await page.emulateMedia({ colorScheme });
    if (!(await page.evaluate('Boolean(window.axe)'))) await page.evaluate(axe);
    const found = await page.evaluate(
      (values) => window.axe.run(document, { runOnly: { type: 'tag', values }, iframes: false }),
      rules,
    );
    assert.ok(found.passes.length > 10, `${name}: axe looked at too little`);
    const violations = found.violations.map(
      ({ id, nodes }) =>
        `${id}: ${nodes.map(({ html, any }) => `${html.slice(0, 160)} ${any[0]?.message ?? ''}`).join('\n    ')}`,
    );
    assert.deepEqual(violations, [], `${name}, ${colorScheme}, ${width} px`);
  }
  await page.setViewportSize(before);
  await page.emulateMedia({ colorScheme: 'light' });
}

/** fits fails if a page is wider than the screen: on narrow phones, also with text of twice the size. */
export async function fits(page, name) {
  const before = page.viewportSize();
  for (const [width, text] of [
    [320, 100],
    [390, 100],
    [720, 100],
    [1160, 100],
    [320, 200],
    [1280, 200],
  ]) {
    await page.setViewportSize({ width, height: before.height });
    const wide = await page.evaluate((size) => {
      document.documentElement.style.fontSize = `${size}%`;
      const { scrollWidth, clientWidth } = document.documentElement;
      const first = [...document.querySelectorAll('body *')].find(
        (each) =>
          each.getBoundingClientRect().right > clientWidth + 1 &&
          !each.closest('.chips, .table-scroll, .visually-hidden, svg'),
      );
      return scrollWidth > clientWidth ? `${scrollWidth - clientWidth} px, by ${first?.outerHTML.slice(0, 120)}` : '';
    }, text);
    assert.equal(wide, '', `${name} is too wide at ${width} px with text of ${text} %`);
  }
  await page.evaluate(() => (document.documentElement.style.fontSize = ''));
  await page.setViewportSize(before);
}

/** check does all of it. */
export async function check(page, name) {
  await isAccessible(page, name);
  await fits(page, name);
}
