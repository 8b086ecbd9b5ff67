// Parts that several screens have: cards, figures, switches between few choices, messages.

import { fill, h, setAttribute } from './dom.js';

/** screenElement is the frame of a screen: a row with its title, then the rest. */
export const screenElement = (name, head, ...rest) =>
  h('div', { class: `screen ${name}` }, h('div', { class: 'screen-head' }, head), ...rest);

/** card is a titled box. side is what stands at the right of its title. */
export function card(title, side, ...children) {
  const heading = h('h2', {}, title);
  const right = h('span', { class: 'side' }, side);
  const element = h('section', { class: 'card' }, h('header', { class: 'card-head' }, heading, right), ...children);
  return {
    element,
    title: (...parts) => fill(heading, ...parts),
    side: (...parts) => fill(right, ...parts),
  };
}

/** figure is a card with one number: a name, the number with its unit, and a line below it. */
export function figure(name) {
  const value = h('strong');
  const unit = h('span', { class: 'unit' });
  const below = h('span', { class: 'below' });
  return {
    element: h('section', { class: 'card figure' }, h('h2', {}, name), h('p', {}, value, ' ', unit), h('p', {}, below)),
    set(text, units = '', ...line) {
      fill(value, text);
      fill(unit, units);
      fill(below, ...line);
    },
  };
}

/** figures is the row of them at the top of a screen. */
export const figures = (...all) =>
  h(
    'div',
    { class: 'figures' },
    all.map(({ element }) => element),
  );

/** choice is a group of buttons of which one is pressed: options are {value, text}. */
export function choice(label, options, onChoose) {
  const buttons = new Map(
    options.map(({ value, text }) => [
      value,
      h(
        'button',
        {
          type: 'button',
          'aria-pressed': 'false',
          onclick: () => onChoose(value),
        },
        text,
      ),
    ]),
  );
  return {
    element: h('div', { role: 'group', 'aria-label': label, class: 'choice' }, [...buttons.values()]),
    set(value) {
      for (const [each, button] of buttons) setAttribute(button, 'aria-pressed', String(each === value));
    },
    text(value, text) {
      fill(buttons.get(value), text);
    },
  };
}

/** toggles is a group of buttons of which each is on or off. */
export function toggles(label, names, onToggle) {
  const buttons = new Map(
    names.map((name) => [
      name,
      h(
        'button',
        {
          type: 'button',
          'aria-pressed': 'false',
          onclick: () => onToggle(name),
        },
        name,
      ),
    ]),
  );
  return {
    element: h('div', { role: 'group', 'aria-label': label, class: 'choice' }, [...buttons.values()]),
    set(on) {
      for (const [name, button] of buttons) setAttribute(button, 'aria-pressed', String(on.has(name)));
    },
  };
}

export const key = (name) => h('kbd', {}, name);

/** button with a key that does the same. */
export const button = (text, onclick, { kind = '', keyName = '' } = {}) =>
  h('button', { type: 'button', class: kind, onclick }, text, keyName && [' ', key(keyName)]);

/** chip is a small label with a round edge. */
export const chip = (text, kind = '') => h('span', { class: `chip ${kind}` }, text);

/** message is a tinted box: kind odd or bad, a title and what follows it. */
export const message = (kind, title, ...parts) =>
  h('div', { class: `message ${kind}` }, h('strong', {}, title), h('div', {}, ...parts));

/** facts is a list of names and values; values are parts. */
export function facts(names) {
  const values = new Map(names.map((name) => [name, h('dd')]));
  return {
    element: h(
      'dl',
      { class: 'facts' },
      names.map((name) => [h('dt', {}, name), values.get(name)]),
    ),
    set: (name, ...parts) => fill(values.get(name), ...parts),
  };
}

/**
 * Rows keeps one child of a parent for each key: a child stays the same element as long
 * as its key is there, so that a field in it keeps the focus. make(key) returns
 * {element, update()}.
 */
export class Rows {
  #parent;
  #make;
  #children = new Map();

  constructor(parent, make) {
    this.#parent = parent;
    this.#make = make;
  }

  get(key) {
    return this.#children.get(key);
  }

  update(keys) {
    const wanted = new Set(keys);
    for (const [at, child] of this.#children) {
      if (wanted.has(at)) continue;
      child.element.remove();
      this.#children.delete(at);
    }
    let next = this.#parent.firstElementChild;
    for (const at of keys) {
      if (!this.#children.has(at)) this.#children.set(at, this.#make(at));
      const child = this.#children.get(at);
      if (child.element === next) next = next.nextElementSibling;
      else this.#parent.insertBefore(child.element, next);
      child.update?.();
    }
  }
}
