// Messages about the feed, the question for the token, and the list of all keys.

import { h } from './dom.js';
import { clock, count } from './format.js';
import { button, key, message } from './parts.js';

const link = (text, onclick) => h('button', { type: 'button', class: 'link', onclick }, text);

const secondsTo = (at) => Math.max(0, Math.ceil((at - Date.now()) / 1000));

export const lostNotice = ({ since, retryAt }, tryNow) =>
  message(
    'bad',
    '■ localhub does not answer',
    `Since ${clock(since)}. What you see is from before. Trying again in ${secondsTo(retryAt)} s, `,
    link('try now', tryNow),
    '.',
  );

export const fullNotice = ({ reason, retryAt }, tryNow) =>
  message(
    'odd',
    '▲ localhub refuses the feed',
    `${reason}. Close another page of the inspector, or end a localhub tap. Trying again in ${secondsTo(retryAt)} s, `,
    link('try now', tryNow),
    '.',
  );

export const restartNotice = ({ from, to }, dismiss) =>
  message(
    'odd',
    '▲ localhub was restarted',
    `${from} → ${to}. Rows in memory are gone; ids begin anew. `,
    link('Understood', dismiss),
  );

export const gapNotice = ({ count: n }, dismiss) =>
  message(
    'odd',
    '▲ A gap in the log',
    `${count(n)} events passed the ring and are not here. `,
    link('Understood', dismiss),
  );

/** tokenForm asks for the admin token. onToken returns when it was tried. */
export function tokenForm(onToken) {
  const field = h('input', { type: 'password', autocomplete: 'off', id: 'admin-token' });
  const form = h(
    'form',
    {
      class: 'row',
      onsubmit: async (event) => {
        event.preventDefault();
        await onToken(field.value);
        field.value = '';
      },
    },
    field,
    h('button', { class: 'primary' }, 'Open'),
  );
  return h(
    'section',
    { class: 'card token-form' },
    h('header', { class: 'card-head' }, h('h2', {}, '■ The admin API needs a token')),
    h(
      'div',
      { class: 'card-text' },
      h(
        'p',
        {},
        h(
          'label',
          { for: 'admin-token' },
          'It was started with -admin-token. The token stays in this tab and is never in an address.',
        ),
      ),
      form,
    ),
  );
}

/** help lists all keys. */
export function help(entries, close) {
  return h(
    'div',
    { class: 'screen help' },
    h(
      'div',
      { class: 'screen-head' },
      h('h1', {}, 'All keys'),
      h('span', { class: 'gap' }),
      button('Close', close, { keyName: 'Esc' }),
    ),
    h(
      'section',
      { class: 'card' },
      h(
        'dl',
        { class: 'card-text key-list' },
        entries.map(({ keys, text }) => [
          h(
            'dt',
            {},
            keys.map((each) => [key(each), ' ']),
          ),
          h('dd', {}, text),
        ]),
      ),
    ),
  );
}
