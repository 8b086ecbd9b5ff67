// A field of a form.

import { h, setAttribute, setText } from '../dom.js';

/** field is an input with its label, and below it what is wrong with it. */
export function field(id, label, type, autocomplete, wrong, isGood) {
  const error = h('p', { class: 'field-error', id: `${id}-error` });
  const input = h('input', {
    id,
    type,
    autocomplete,
    required: true,
    'aria-describedby': `${id}-error`,
    onblur: () => input.value && check(),
  });
  function check() {
    const good = isGood(input.value);
    setAttribute(input, 'aria-invalid', good ? null : 'true');
    setText(error, good ? '' : wrong);
    return good;
  }
  return { element: h('div', { class: 'field' }, h('label', { for: id }, label), input, error), input, check };
}
