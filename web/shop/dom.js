// Helpers that make DOM nodes. Nothing here knows the shop.

/**
 * h makes an element. A property whose name begins with "on" is a listener, one of the
 * names in asProperty is set on the element, true and false set or leave out an
 * attribute, and others are attributes. Children that are null or false are left out.
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (asProperty.has(name)) element[name] = value;
    else setAttribute(element, name, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== false && child !== undefined));
  return element;
}

const asProperty = new Set(['hidden', 'disabled', 'checked', 'value', 'inert']);

/** setAttribute changes an attribute only if it differs; null, undefined and false remove it. */
export function setAttribute(element, name, value) {
  if (value === null || value === undefined || value === false) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value === true ? '' : value)) {
    element.setAttribute(name, value === true ? '' : value);
  }
}

/** setText changes the text of an element only if it differs. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** svg makes a drawing, which is never read out. markup is the shop's own, never a person's text. */
export function svg(viewBox, markup, className = '') {
  const element = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  element.setAttribute('viewBox', viewBox);
  element.setAttribute('aria-hidden', 'true');
  element.setAttribute('focusable', 'false');
  if (className) element.setAttribute('class', className);
  element.innerHTML = markup;
  return element;
}

/**
 * replace makes new the only child of a place, unless it is already.
 */
export function replace(place, element) {
  if (place.firstChild !== element || place.childNodes.length !== 1) place.replaceChildren(element);
}

/**
 * Keyed keeps one child of a parent for each key: a child stays the same element as long
 * as its key is there, so that it keeps the focus. make(key) returns {element, update()}.
 */
export class Keyed {
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

  /** update shows the keys in their order, and updates every child. */
  update(keys) {
    const wanted = new Set(keys);
    for (const [key, child] of this.#children) {
      if (wanted.has(key)) continue;
      child.element.remove();
      child.end?.();
      this.#children.delete(key);
    }
    let next = this.#parent.firstElementChild;
    for (const key of keys) {
      if (!this.#children.has(key)) this.#children.set(key, this.#make(key));
      const { element } = this.#children.get(key);
      if (element === next) next = next.nextElementSibling;
      else this.#parent.insertBefore(element, next);
    }
    for (const child of this.#children.values()) child.update();
  }

  /** end removes all children. */
  end() {
    this.update([]);
  }
}
