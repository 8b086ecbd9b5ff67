// The keyboard. A key of one letter does nothing while a field has the focus.

const inField = (target) => target.closest?.('input, select, textarea, [contenteditable]');

/**
 * handle calls the first entry that takes a key. An entry is {keys, text, run(key)}. In a
 * field only Escape is taken, which leaves the field. Enter and Space stay with buttons
 * and links.
 */
export function handle(event, entries) {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return false;
  const key = event.key === ' ' ? 'Space' : event.key === 'Escape' ? 'Esc' : event.key;
  if (inField(event.target)) {
    if (key !== 'Esc') return false;
    event.target.blur();
    event.preventDefault();
    return true;
  }
  if (['Enter', 'Space'].includes(key) && event.target.closest?.('button, a, summary')) return false;
  const entry = entries.find(({ keys }) => keys.includes(key));
  if (!entry) return false;
  event.preventDefault();
  entry.run(key);
  return true;
}

// ---- The keys of every list ----

/** rowKeys moves the selection of a list down and up: move(1), move(-1). */
export const rowKeys = (text, move) => ({ keys: ['j', 'k'], text, run: (key) => move(key === 'j' ? 1 : -1) });

/** openKey opens the selected row. */
export const openKey = (text, open) => ({ keys: ['Enter'], text, run: open });

/** backKey leads to the overview. */
export const backKey = (go) => ({ keys: ['Esc'], text: 'back', run: () => go({ screen: 'overview' }) });
