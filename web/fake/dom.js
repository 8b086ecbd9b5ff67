// As much of the DOM as the badges touch. Import it before elements.js.

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

/** attach and detach do what a document does with an element. */
export function attach(element) {
  element.isConnected = true;
  element.connectedCallback();
}

export function detach(element) {
  element.isConnected = false;
  element.disconnectedCallback();
}

/** shown is the text of a badge. */
export const shown = (element) => element.shadow.children.find((c) => c.className === 'text').textContent;
