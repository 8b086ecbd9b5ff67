// Questions before something that lasts: once, in place, never in a dialog.

import { h } from './dom.js';
import { button } from './parts.js';

export class Ask {
  #previous = null;

  constructor() {
    this.element = h('div', { class: 'ask', hidden: true, role: 'group', 'aria-label': 'Question' });
    this.element.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape') return;
      event.stopPropagation();
      this.close();
    });
  }

  get open() {
    return !this.element.hidden;
  }

  /** ask shows a question; run does it after Enter or a click. An error is said in its place. */
  ask(question, yes, run) {
    if (!this.open) this.#previous = document.activeElement;
    const confirm = button(
      yes,
      async () => {
        try {
          await run();
          this.close();
        } catch (error) {
          this.say(`■ ${error.message}`);
        }
      },
      { kind: 'primary', keyName: 'Enter' },
    );
    this.element.replaceChildren(
      h('strong', {}, question),
      confirm,
      button('Leave', () => this.close(), { keyName: 'Esc' }),
    );
    this.element.hidden = false;
    confirm.focus();
  }

  /** say shows an answer in the same place. */
  say(text) {
    if (!this.open) this.#previous = document.activeElement;
    const close = button('Close', () => this.close(), { keyName: 'Esc' });
    this.element.replaceChildren(h('strong', {}, text), close);
    this.element.hidden = false;
    close.focus();
  }

  close() {
    if (!this.open) return;
    this.element.hidden = true;
    if (this.#previous?.isConnected) this.#previous.focus({ preventScroll: true });
  }
}
