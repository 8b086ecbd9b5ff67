// attempt keeps one fault of a page from stopping what has nothing to do with it.

/** attempt calls f. What f throws goes to the page's error handlers, as an exception of an event listener does. */
export function attempt(f) {
  try {
    f();
  } catch (error) {
    if (globalThis.reportError) reportError(error);
    else queueMicrotask(() => { throw error; });
  }
}
