// Noted decides which notes of a line of the cart are news for a person who hears the page.

export class Noted {
  #error = null; // the error that was said last, as JSON
  #stock; // the words about stock that were proved last; undefined if there were none yet

  /**
   * isNews reports whether a note (see lineNote) is to be announced: each error once, words
   * about stock if they were others before. What is under way, or not proved, is no news.
   */
  isNews({ about, text }, error, proved) {
    const before = { error: this.#error, stock: this.#stock };
    if (!error) this.#error = null;
    if (about === 'change') return false;
    if (about === 'error') {
      this.#error = JSON.stringify(error);
      if (proved) this.#stock ??= '';
      return this.#error !== before.error;
    }
    if (!proved) return false;
    this.#stock = text;
    return text !== '' && before.stock !== undefined && text !== before.stock;
  }
}
