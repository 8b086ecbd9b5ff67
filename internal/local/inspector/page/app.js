// The inspector: what all screens share, and which of them is shown.

import { API } from './api.js';
import { Ask } from './ask.js';
import * as address from './address.js';
import { odd } from './dom.js';
import { Feed } from './feed.js';
import { clock, count } from './format.js';
import { handle } from './keys.js';
import { figuresOf, valuesOf } from './alarms.js';
import { History } from './metrics.js';
import { fullNotice, help, lostNotice, gapNotice, restartNotice, tokenForm } from './notices.js';
import { foot, ratesOf, Shell } from './shell.js';
import { dollars } from './screens/cost.js';
import { Sources } from './sources.js';
import { Store } from './store.js';

const figuresEvery = 500; // ms: figures change twice a second
const sampledFor = 3000; // ms after the last sampled message

export class App {
  api = new API();
  store = new Store();
  history = new History();
  alarmHistory = new History(); // values of alarms by name
  paused = false;
  sampled = null; // {kept, of} while the feed is thinned
  faultMarks = []; // when faults were switched on: {at, text}
  params = { screen: 'overview' };
  #screensOf;
  #screens = []; // [{name, title, digit, make}]
  #made = new Map();
  #notice = {}; // restart and gap, until they are dismissed
  #sampledAt = 0;
  #countdown = '';

  /** screensOf(template) lists the screens: of the hub, or of somebody's own API. */
  constructor(screensOf) {
    this.#screensOf = screensOf;
    this.#screens = screensOf(false);
    this.ask = new Ask();
    this.feed = new Feed(this.api, {
      situation: () => this.#situation(),
      onMessage: (m) => this.#message(m),
      onState: () => this.#state(),
    });
    this.sources = new Sources(this.api, (name, value) => this.#answer(name, value));
  }

  async start() {
    this.shell = new Shell({
      screens: this.#screens,
      ask: this.ask,
      onHelp: () => this.showHelp(),
      onSearch: (text) => this.search(text),
    });
    document.addEventListener('click', (event) => this.#link(event));
    document.addEventListener('keydown', (event) => this.#key(event));
    addEventListener('popstate', () => this.#show(address.read(location.search)));
    this.api.onUnauthorized = () => this.feed.state.name === 'live' && this.feed.open();
    this.#show(address.read(location.search));
    setInterval(() => this.#tick(), figuresEvery);
    await this.feed.open();
  }

  get situation() {
    return this.sources.situation;
  }

  /** now is the time of the hub's clock, in ms. */
  get now() {
    return Date.now() + (this.situation?.clockAheadMs ?? 0);
  }

  /** go shows a screen and adds it to the history of the browser. */
  go(params) {
    history.pushState(null, '', address.write(params));
    this.#show(params);
  }

  /** note changes the address of the screen that is shown. */
  note(params) {
    this.params = { ...this.params, ...params };
    history.replaceState(null, '', address.write(this.params));
  }

  search(text) {
    if (text.trim() === '') return;
    const connections = [...this.store.people].map(([id, { user }]) => ({ id, user }));
    const topics = (this.sources.topics ?? []).map(({ topic }) => topic);
    this.go(address.destination(text, { hasEvent: (id) => this.store.get(id) !== undefined, connections, topics }));
  }

  pause(on = !this.paused) {
    this.paused = on;
    this.screen?.paused?.(on);
    this.#update();
  }

  /** change sends a change, and asks again for what it may have changed. */
  async change(method, path, body, ...names) {
    const answer = await this.api.send(method, path, body);
    await this.sources.again(...names);
    return answer;
  }

  faultsOff() {
    this.ask.ask('Turn all faults off?', 'All off', () =>
      this.change('POST', '/admin/faults', {}, 'faults', 'situation'),
    );
  }

  showHelp() {
    this.#showElement(help([...(this.screen?.keys ?? []), ...this.#keys()], () => this.#show(this.params)));
  }

  #screenOf(name) {
    const found = this.#screens.find((each) => each.name === name) ?? this.#screens[0];
    if (!this.#made.has(found.name)) this.#made.set(found.name, found.make(this));
    return [found.name, this.#made.get(found.name)];
  }

  #show(params) {
    this.ask.close();
    if (this.feed.state.name === 'token') return this.#askToken();
    const [name, screen] = this.#screenOf(params.screen);
    if (this.screen && this.screen !== screen) this.screen.leave?.();
    this.params = { ...params, screen: name };
    this.screen = screen;
    this.shell.showScreen(name);
    screen.enter?.(this.params);
    this.#showElement(screen.element);
    this.shell.showKeys([...screen.keys, ...this.#keys()]);
    document.title = `${this.#screens.find((each) => each.name === name).title}, localhub inspector`;
    this.#update();
  }

  get #helps() {
    return this.shell.main.firstChild?.classList.contains('help');
  }

  #showElement(element) {
    if (this.shell.main.firstChild !== element) this.shell.main.replaceChildren(element);
  }

  #askToken() {
    this.#showElement(
      tokenForm((token) => {
        this.api.token = token;
        return this.feed.open();
      }),
    );
    this.shell.main.querySelector('input').focus();
  }

  #message(message) {
    const from = this.store.lastId;
    const before = this.store.boot;
    if (this.store.add(message)) {
      this.#notice.restart = { from: before, to: message.boot };
      this.history.clear();
      this.screen?.restarted?.();
    }
    if (message.gap) this.#notice.gap = { count: this.store.gaps };
    if (message.sampled) {
      this.sampled = message.sampled;
      this.#sampledAt = Date.now();
      this.#update();
    }
    const events = message.events.filter(({ id }) => id > from || this.store.boot !== before);
    this.screen?.events?.(events);
    if (message.gap || this.store.boot !== before) this.#showNotices();
  }

  #answer(name, value) {
    if (name === 'metrics') this.history.add(Date.now(), figuresOf(value));
    if (name === 'alarms') this.alarmHistory.add(Date.now(), valuesOf(value));
    if (name === 'situation') {
      this.#markFaults(ratesOf(value.faults));
      if (value.template) this.history.add(Date.now(), this.store.counts);
    }
    this.#update();
  }

  /** #situation asks what localhub this is, before the feed begins. */
  async #situation() {
    const template = this.situation?.template ?? false;
    const value = await this.api.get('/admin/situation');
    this.sources.situation = value;
    if (value.template !== template) {
      this.#screens = this.#screensOf(value.template);
      this.shell.setScreens(this.#screens);
      this.#show(address.read(location.search));
    }
    this.#answer('situation', value);
    return value;
  }

  #markFaults(rates) {
    const on = Object.keys(rates).length > 0;
    if (on && !this.faultsOn) this.faultMarks.push({ at: Date.now(), text: `▲ faults on ${clock(Date.now())}` });
    this.faultsOn = on;
  }

  #state() {
    const { name } = this.feed.state;
    if (name === 'token') this.#askToken();
    else if (this.shell.main.querySelector('.token-form')) this.#show(this.params);
    this.#showNotices();
    this.#update();
  }

  #tick() {
    const { name } = this.feed.state;
    if (['lost', 'full'].includes(name)) this.#showNotices();
    if (this.sampled && Date.now() - this.#sampledAt > sampledFor) this.sampled = null;
    if (!['live', 'full'].includes(name)) return;
    this.sources.ask(['situation', 'metrics', 'alarms', ...(this.screen?.needs ?? [])]);
    this.#update();
  }

  #update() {
    this.shell.showSituation({
      feed: this.feed.state,
      paused: this.paused,
      situation: this.situation,
      sampled: this.sampled,
    });
    this.shell.showCounts(this.#counts());
    this.shell.showFoot(...foot(this));
    this.shell.showWhere(
      [this.situation?.socket, this.situation?.epoch && `epoch ${this.situation.epoch}`].filter(Boolean).join(' · '),
    );
    if (!this.paused) this.screen?.update?.();
  }

  #counts() {
    const { topics, stock, cost } = this.sources;
    const faults = Object.keys(ratesOf(this.situation?.faults)).length + (this.situation?.clockAheadMs ? 1 : 0);
    return {
      frames: this.store.lastId ? count(this.store.lastId) : '',
      connections: this.situation ? count(this.situation.connections) : '',
      cost: cost ? dollars(cost.dollars) : '',
      topics: topics ? count(topics.length) : '',
      stock: stock ? count(stock.length) : '',
      faults: faults ? odd(String(faults)) : '',
      stream: this.situation?.streamHeld ? odd('held') : '',
    };
  }

  #showNotices() {
    const notices = [];
    const dismiss = (name) => () => {
      delete this.#notice[name];
      this.#showNotices();
    };
    if (this.feed.state.name === 'lost') notices.push(lostNotice(this.feed.state, () => this.feed.open()));
    if (this.feed.state.name === 'full') notices.push(fullNotice(this.feed.state, () => this.feed.open()));
    if (this.#notice.restart) notices.push(restartNotice(this.#notice.restart, dismiss('restart')));
    if (this.#notice.gap) notices.push(gapNotice(this.#notice.gap, dismiss('gap')));
    const key = notices.map(({ textContent }) => textContent).join('|');
    if (key !== this.#countdown) this.shell.showNotices(notices);
    this.#countdown = key;
  }

  #link(event) {
    const link = event.target.closest('a');
    const href = link?.getAttribute('href') ?? '';
    if (!href.startsWith('?') || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    this.go(address.read(href));
  }

  #keys() {
    const digits = this.#screens.map(({ digit }) => digit);
    return [
      {
        keys: digits,
        text: 'screens',
        quiet: true,
        run: (digit) => this.go({ screen: this.#screens.find((s) => s.digit === digit).name }),
      },
      { keys: ['/'], text: 'search', run: () => this.shell.search.focus() },
      { keys: ['p'], text: this.paused ? 'continue' : 'pause', run: () => this.pause() },
      { keys: ['f'], text: 'faults', run: () => this.go({ screen: 'faults' }) },
      { keys: ['o'], text: 'all faults off', quiet: true, run: () => this.faultsOff() },
      { keys: ['?'], text: 'all keys', quiet: true, run: () => this.showHelp() },
      { keys: ['Esc'], text: 'close', quiet: true, run: () => this.#show(this.params) },
    ];
  }

  #key(event) {
    if (this.feed.state.name === 'token') return;
    if (event.key === 'Escape' && this.ask.open) this.ask.close();
    else if (event.key === 'Escape' && this.#helps) this.#show(this.params);
    else handle(event, [...(this.screen?.keys ?? []), ...this.#keys()]);
  }
}
