// A panel for what is not there: one picture, one sentence, one way on.

import { h } from '../dom.js';
import { picture } from '../pictures/index.js';

/** empty shows {form, title, text, links: [{text, route}], button: {text, run}}. */
export function empty(app, { form, title, text, links = [], button = null }) {
  return h(
    'section',
    { class: 'empty' },
    h('span', { class: 'round', 'data-tint': form.tint }, picture(form)),
    h('h2', {}, title),
    h('p', { class: 'second' }, text),
    h(
      'p',
      { class: 'row' },
      links.map((link, i) =>
        h(
          'a',
          {
            class: links.length > 1 ? 'chip' : 'button primary',
            href: app.router.href(link.route),
            'data-first': i === 0,
          },
          link.text,
        ),
      ),
      button && h('button', { type: 'button', class: 'primary', onclick: button.run }, button.text),
    ),
  );
}
