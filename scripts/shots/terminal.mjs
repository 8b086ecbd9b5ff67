// Plays a session in four panes of tmux, and takes a picture of what they show. Run it with
// scripts/shots/terminal.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { root, withHub } from './hub.mjs';

const columns = 150;
const rows = 36;
const within = 20_000; // ms

/** Terminal is a tmux server of its own, with panes by name. */
class Terminal {
  folder = mkdtempSync(join(tmpdir(), 'terminal-'));
  panes = {};

  constructor() {
    const profile = join(this.folder, 'profile');
    writeFileSync(profile, "PS1='$ '\n");
    this.shell = `bash --noprofile --rcfile ${profile} -i`;
    const path = `${dirname(process.env.LOCALHUB)}:${root}/.tools/wscat/node_modules/.bin:${process.env.PATH}`;
    this.env = { ...process.env, PATH: path, TERM: 'xterm-256color', LANG: 'C.UTF-8', TMUX: '' };
    this.tmux('-f', '/dev/null', 'new-session', '-d', '-x', `${columns}`, '-y', `${rows}`, this.shell);
    this.tmux('set-option', '-g', 'status', 'off');
    this.panes.wscat = this.tmux('display-message', '-p', '#{pane_id}');
    this.panes.sub = this.split('wscat', '-h', 66);
    this.panes.tap = this.split('wscat', '-v', 14, '-f');
    this.panes.stock = this.split('sub', '-v', 12);
  }

  tmux(...args) {
    return execFileSync('tmux', ['-S', join(this.folder, 'socket'), ...args], { env: this.env, encoding: 'utf8' }).trim();
  }

  /** split makes a pane of a size beside or below another one. */
  split(from, how, size, ...more) {
    const args = [how, '-l', `${size}`, ...more, '-t', this.panes[from], '-d', '-P', '-F', '#{pane_id}'];
    return this.tmux('split-window', ...args, this.shell);
  }

  /** type types a line, as a person does. */
  type(pane, line) {
    this.tmux('send-keys', '-t', this.panes[pane], '-l', line);
    this.tmux('send-keys', '-t', this.panes[pane], 'Enter');
  }

  /** text is what a pane shows. Lines that were wrapped are one with -J. */
  text(pane, ...how) {
    return this.tmux('capture-pane', '-p', ...how, '-t', this.panes[pane]);
  }

  /** shows waits until a pane has a text. */
  async shows(pane, text) {
    for (const end = Date.now() + within; !this.text(pane, '-J').includes(text); ) {
      if (Date.now() > end) throw new Error(`${pane} does not show ${text}:\n${this.text(pane)}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  close() {
    this.tmux('kill-server');
    rmSync(this.folder, { recursive: true });
  }
}

/** play is the session. Addresses and tokens come from variables, so that lines stay short. */
async function play(terminal, hub) {
  const admin = new URL(hub.adminURL).host;
  for (const pane of Object.keys(terminal.panes)) {
    terminal.type(pane, `localhub() { command localhub "$@" $MORE; }; HUB=${hub.socket} ADMIN=${admin}; MORE="-admin $ADMIN"; clear`);
  }
  terminal.type('sub', 'MORE="-url $HUB"; clear');
  const token = execFileSync(process.env.LOCALHUB, ['token', '-user', 'alice', '-admin', admin], { encoding: 'utf8' }).trim();
  terminal.type('wscat', `T="Authorization: Bearer ${token}"; clear`);
  terminal.type('wscat', 'wscat -c $HUB -s securecart.v1 -H "$T"');
  await terminal.shows('wscat', 'Connected');
  const say = async (line, answer) => {
    terminal.type('wscat', line);
    await terminal.shows('wscat', answer);
  };
  await say('pretty on', 'you are alice');
  await say('sub MUG cart', 'cart empty');
  terminal.type('sub', 'localhub sub MUG TEE-RED-M');
  await terminal.shows('sub', 'sku:TEE-RED-M');
  terminal.type('tap', 'localhub tap -user alice');
  await new Promise((resolve) => setTimeout(resolve, 1000)); // it says nothing before the first event
  terminal.type('stock', 'localhub stock MUG 3');
  await terminal.shows('wscat', '"version":2,"state":"low"');
  await terminal.shows('sub', 'few left, 3');
  await say('add MUG 5', 'MUG: 3 of 5');
  terminal.type('stock', 'localhub stock MUG 0 TEE-RED-M 2');
  await terminal.shows('wscat', '"version":3,"state":"out"');
  await terminal.shows('sub', 'few left, 2');
  await terminal.shows('sub', 'sold out');
  await terminal.shows('tap', 'sku:MUG v3');
}

const escape = (text) => text.replace(/[&<>]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[c]);

/** draw makes a page of the panes: where tmux has them, with what they show. */
function draw(terminal) {
  const panes = terminal.tmux('list-panes', '-F', '#{pane_id} #{pane_left} #{pane_top} #{pane_width} #{pane_height}');
  const boxes = panes.split('\n').map((line) => {
    const [id, left, top, width, height] = line.split(' ');
    const name = Object.keys(terminal.panes).find((key) => terminal.panes[key] === id);
    const text = escape(terminal.text(name))
      .replace(/^(\$ .*|&gt; .*)$/gm, '<b>$1</b>')
      .replace(/(few left|sold out|in stock)/g, '<i class="$1">$1</i>');
    return `<pre style="grid-area:${+top + 1}/${+left + 1}/span ${height}/span ${width}">${text}</pre>`;
  });
  return `<!doctype html><meta charset="utf-8"><style>
    body { margin: 0; padding: 16px; background: #e8ebf0; width: max-content; }
    main { display: grid; font: 13px/17px "DejaVu Sans Mono", monospace;
      grid-template: repeat(${rows}, 17px) / repeat(${columns}, 1ch); }
    pre { margin: -2px -3px; padding: 2px 3px; overflow: hidden; font: inherit; color: #1c2430; background: #fff;
      outline: 1px solid #c3cad5; }
    b { font-weight: 600; color: #0b57a4; } i { font-style: normal; color: #1a6b35; }
    i.few { color: #8a4b00; } i.sold { color: #b3261e; }
    </style><main>${boxes.join('')}</main>`;
}

await withHub(async (hub, browser) => {
  const terminal = new Terminal();
  try {
    await play(terminal, hub);
    const page = await browser.newPage({ colorScheme: 'light' });
    await page.setContent(draw(terminal));
    await page.locator('body').screenshot({ path: `${root}/docs/images/terminal.png` });
  } finally {
    terminal.close();
  }
});
