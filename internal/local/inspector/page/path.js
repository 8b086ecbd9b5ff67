// The way of a change through the log: from its first cause to every effect. Pure.

const maxSteps = 200;

/** firstCause goes from an event to its cause, and to that one's, as far as they are here. */
export function firstCause(store, event) {
  const seen = new Set([event.id]);
  for (;;) {
    const cause = store.causes(event).find(({ id }) => !seen.has(id));
    if (!cause) return event;
    seen.add(cause.id);
    event = cause;
  }
}

/**
 * pathOf lists the events of the change that an event belongs to, oldest first: its
 * causes, and all that followed from the first of them. cut tells how many were left out.
 * A post whose frame is here is told by the frame.
 */
export function pathOf(store, event) {
  const root = firstCause(store, event);
  const found = new Map([[root.id, root]]);
  const queue = [root];
  let cut = 0;
  while (queue.length > 0) {
    for (const effect of store.effects(queue.shift())) {
      if (found.has(effect.id)) continue;
      if (found.size >= maxSteps && effect.id !== event.id) {
        cut++;
        continue;
      }
      found.set(effect.id, effect);
      queue.push(effect);
    }
  }
  found.set(event.id, event); // when the middle of the way has passed the ring
  const steps = [...found.values()]
    .filter(
      (step) => step.id === event.id || step.type !== 'post' || !store.effects(step).some(({ type }) => type === 'out'),
    )
    .sort((a, b) => a.id - b.id);
  const row = steps.find(({ type }) => type === 'row') ?? root;
  const last = steps.filter(({ type }) => type === 'out').at(-1);
  return { steps, cut, root, row, last };
}

/** causeOf is the event to go to with [. */
export const causeOf = (store, event) => store.causes(event)[0];

/** effectOf is the event to go to with ]: the first effect, or the next effect of the same cause. */
export function effectOf(store, event) {
  const [first] = store.effects(event);
  if (first) return first;
  for (let from = event; ;) {
    const cause = causeOf(store, from);
    if (!cause) return undefined;
    const siblings = store.effects(cause);
    const next = siblings[siblings.findIndex(({ id }) => id === from.id) + 1];
    if (next) return next;
    from = cause;
  }
}
