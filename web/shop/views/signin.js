// Who the person is: five people to choose from.

import { h, setAttribute, setText } from '../dom.js';
import { people } from '../session.js';
import { words } from '../words.js';

export function signInPage(app) {
  const heading = h('h1', { tabindex: '-1' }, words.signIn.title);
  const buttons = people.map((person) =>
    h(
      'button',
      {
        type: 'button',
        class: 'person',
        'data-person': person.id,
        onclick: () => choose(person),
      },
      h('span', { class: 'initial' }, person.name[0]),
      h('span', {}, h('strong', {}, person.name), h('span', { class: 'small second' }, person.text)),
    ),
  );
  const answer = h('p', { class: 'message', role: 'status' });
  const element = h(
    'div',
    { class: 'narrow' },
    h(
      'section',
      { class: 'panel people' },
      heading,
      h('p', { class: 'second' }, app.session.canSignIn ? words.signIn.text : words.signIn.noAdmin),
      buttons,
      answer,
    ),
  );

  async function choose(person) {
    tell('quiet', words.signIn.waiting);
    try {
      await app.signIn(person);
    } catch (error) {
      tell('bad', words.signIn.failed(error.message));
    }
  }

  function tell(kind, text) {
    answer.dataset.kind = kind;
    setText(answer, text);
    answer.classList.toggle('none', text === '');
  }
  tell('quiet', '');

  return {
    title: words.account,
    element,
    heading,
    update() {
      people.forEach(({ id, role }, i) => {
        setAttribute(buttons[i], 'aria-pressed', String(app.session.person.id === id));
        buttons[i].disabled = role !== 'guest' && !app.session.canSignIn;
      });
    },
    accepts: ({ page }) => page === 'sign-in',
    follow() {},
    end() {},
  };
}
