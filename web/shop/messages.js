// Messages have places: beside the cart on a wide page, in the bar on a narrow one. The
// newest is shown. Good news goes by itself; the rest stays until the next message or
// until the person has settled it.

const goodNewsFor = 6_000; // ms
const silence = 3_000; // ms between two announcements

export class Messages {
  current = null; // {kind, text, action}; kind: good, warn, bad or info
  #onChange;
  #timer;
  #isFocused;

  /** isFocused reports whether the focus is in the place of messages: then good news stays. */
  constructor(onChange, isFocused) {
    this.#onChange = onChange;
    this.#isFocused = isFocused;
  }

  /** say shows a message. action: {text, run} is a button in it. */
  say(kind, text, action = null) {
    clearTimeout(this.#timer);
    this.current = { kind, text, action };
    if (kind === 'good') this.#leave();
    this.#onChange();
  }

  /** leave clears what was said about another page. Good news goes by itself, and news with a button stays. */
  leave() {
    const { current } = this;
    if (current !== null && current.kind !== 'good' && current.action === null) this.clear();
  }

  clear() {
    clearTimeout(this.#timer);
    this.current = null;
    this.#onChange();
  }

  #leave() {
    this.#timer = setTimeout(() => (this.#isFocused() ? this.#leave() : this.clear()), goodNewsFor);
  }
}

/** Voice reads whole sentences out: at most one in three seconds, and of those that wait the newest. */
export class Voice {
  #region;
  #next = null;
  #timer = null;

  /** region is the page's one live region. */
  constructor(region) {
    this.#region = region;
  }

  say(text) {
    this.#next = text;
    if (this.#timer === null) this.#speak();
  }

  #speak() {
    if (this.#next === null) {
      this.#timer = null;
      return;
    }
    this.#region.textContent = this.#next;
    this.#next = null;
    this.#timer = setTimeout(() => this.#speak(), silence);
  }
}
