// One polite live region per page tells people who do not see it what has changed. Whole
// sentences, with the product's name, and not too many.

/** between is the least time between two sentences, in ms. */
const between = 3_000;

/** The newest sentence about each subject, waiting to be said. */
const waiting = new Map();
let region = null;
let timer = null;

/**
 * announce says a sentence, soon. A newer one about the same subject takes its place, so that
 * what changes all the time is said, too.
 */
export function announce(subject, sentence) {
  waiting.set(subject, sentence);
  timer ??= setTimeout(say, region ? between : 100);
  prepare();
}

function say() {
  timer = null;
  const [next] = waiting;
  if (!next) return;
  waiting.delete(next[0]);
  region.textContent = '';
  requestAnimationFrame(() => (region.textContent = next[1]));
  timer = setTimeout(say, between);
}

/** prepare puts the region into the page: a region must be there before it has text. */
export function prepare() {
  region ??= makeRegion();
}

/** The region is styled from inside: a sheet of the document makes a browser style the whole page anew. */
function makeRegion() {
  const made = document.createElement('div');
  made.setAttribute('role', 'status');
  made.setAttribute('aria-live', 'polite');
  made.setAttribute('aria-atomic', 'true');
  made.className = 'securecart-announcements';
  const root = made.attachShadow({ mode: 'open' });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(
    ':host{position:fixed;inline-size:1px;block-size:1px;overflow:hidden;contain:strict;clip-path:inset(50%);white-space:nowrap}',
  );
  root.adoptedStyleSheets = [sheet];
  root.append(document.createElement('slot'));
  document.body.append(made);
  return made;
}
