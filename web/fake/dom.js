// The part of the DOM that the badges use. Import it before elements.js.

class Node {
  textContent = '';
  attributes = {};
  children = [];
  setAttribute(name, value) {
    const before = this.attributes[name] ?? null;
    this.attributes[name] = String(value);
    if (this.constructor.observedAttributes?.includes(name)) this.attributeChangedCallback(name, before, String(value));
  }
  getAttribute(name) {
    return this.attributes[name] ?? null;
  }
  toggleAttribute(name, on) {
    if (on) this.attributes[name] = '';
    else delete this.attributes[name];
  }
  append(...nodes) {
    this.children.push(...nodes);
  }
}

globalThis.HTMLElement = class HTMLElement extends Node {
  isConnected = false;
  attachShadow() {
    return (this.shadow = new Node());
  }
};
globalThis.document = { createElement: () => new Node() };
globalThis.customElements = { define: () => {} };

/** attach puts an element into the page, detach removes it. */
export function attach(element) {
  element.isConnected = true;
  element.connectedCallback();
}

export function detach(element) {
  element.isConnected = false;
  element.disconnectedCallback();
}

/** textOf returns the text that a badge shows. */
export const textOf = (element) => element.shadow.children.find((c) => c.className === 'text').textContent;
