// Radio buttons that look like buttons: colours and sizes.

import { h, setAttribute, setText } from '../dom.js';

/** radioGroup is a group of radio buttons. One value is no choice: then there is none. */
export function radioGroup(legend, name, values, choose, content) {
  if (values.length < 2) return null;
  const title = h('legend');
  const radios = values.map((value) => {
    const input = h('input', { type: 'radio', name, value, onchange: () => choose({ [name]: value }) });
    return { value, input, label: h('label', { class: `radio ${name}` }, input, content(value)) };
  });
  return {
    element: h(
      'fieldset',
      { class: 'radios' },
      title,
      h(
        'div',
        { class: 'row' },
        radios.map(({ label }) => label),
      ),
    ),
    update(chosen, stateOf) {
      setText(title, legend(chosen ?? ''));
      for (const { value, input, label } of radios) {
        const { text, kind, missing } = stateOf(value);
        input.checked = value === chosen;
        label.classList.toggle('missing', missing);
        setAttribute(label, 'data-kind', kind ?? null);
        const words = label.querySelector('.radio-stock');
        if (words) setText(words, text);
      }
    },
  };
}
