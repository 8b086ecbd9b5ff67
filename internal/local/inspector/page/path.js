// The way of a change through the log: from its first cause to every effect. Pure.

const maxSteps = 200;

/**
 * causeOf is the event to go to with [. of is the frame that the way began at: a batch of
 * several records leads to the record of that frame's topic and version.
 */
export function causeOf(store, event, of = event) {
  const causes = store.causes(event);
  const same = causes.filter(({ topic }) => topic && topic === of.topic);
  return same.find(({ version }) => version === of.version) ?? same.at(-1) ?? causes[0];
}

/** firstCause goes from an event to its cause, and to that one's, as far as they are here. */
export function firstCause(store, event) {
  const seen = new Set([event.id]);
  for (let at = event; ;) {
    const cause = causeOf(store, at, event);
    if (!cause || seen.has(cause.id)) return at;
    seen.add(cause.id);
    at = cause;
  }
}

/**
 * pathOf lists the events of the change that an event belongs to, oldest first: its
 * causes, and all that followed from the first of them. cut tells how many were left out.
 * A post whose frame is here is left out: the frame stands for both.
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
