// Helpers that make DOM nodes. All text becomes text nodes; nothing here reads HTML.

const asProperty = new Set(['hidden', 'disabled', 'checked', 'value', 'tabIndex', 'type']);

/**
 * h makes an element. A property whose name begins with "on" is a listener, the names in
 * asProperty are set on the element, false and null leave an attribute out, others are
 * attributes. Children are parts, see nodes.
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (asProperty.has(name)) element[name] = value;
    else setAttribute(element, name, value);
  }
  element.append(...children.flatMap(nodes));
  return element;
}

/** setAttribute changes an attribute only if it differs; null, undefined and false remove it. */
export function setAttribute(element, name, value) {
  if (value === null || value === undefined || value === false) element.removeAttribute(name);
  else {
    const text = value === true ? '' : String(value);
    if (element.getAttribute(name) !== text) element.setAttribute(name, text);
  }
}

/**
 * nodes turns parts into nodes. A part is a text, a node, a list of parts, or
 * {kind, text} for a span with the class of its kind; {href, text} is a link.
 */
export function nodes(part) {
  if (part === null || part === undefined || part === false || part === '') return [];
  if (Array.isArray(part)) return part.flatMap(nodes);
  if (part instanceof Node) return [part];
  if (typeof part !== 'object') return [String(part)];
  if (part.href) return [h('a', { href: part.href }, part.text)];
  return [h('span', { class: part.kind }, part.text)];
}

const shown = new WeakMap();

/** fill makes parts the content of an element, unless they are already. */
export function fill(element, ...parts) {
  const key = keyOf(parts);
  if (key !== null && shown.get(element) === key) return;
  shown.set(element, key);
  element.replaceChildren(...parts.flatMap(nodes));
}

/** keyOf is a text that is equal for equal parts; null if a part is a node. */
function keyOf(parts) {
  let key = '';
  for (const part of parts) {
    if (part instanceof Node) return null;
    if (Array.isArray(part)) {
      const inner = keyOf(part);
      if (inner === null) return null;
      key += `[${inner}]`;
    } else if (part && typeof part === 'object') key += `{${part.kind ?? ''}|${part.href ?? ''}|${part.text}}`;
    else key += `${part ?? ''},`;
  }
  return key;
}

/** svg makes an element of a drawing. */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Kinds of text, as functions: bold(x) is a part. */
export const kind = (name) => (text) => ({ kind: name, text });
export const bold = kind('b');
export const second = kind('second');
export const mono = kind('mono');
export const masked = kind('masked');
export const good = (text) => ({ kind: 'good', text: `✓ ${text}`.trim() });
export const odd = (text) => ({ kind: 'odd', text: `▲ ${text}`.trim() });
export const bad = (text) => ({ kind: 'bad', text: `■ ${text}`.trim() });
export const absent = (text) => ({ kind: 'second', text: `○ ${text}`.trim() });
