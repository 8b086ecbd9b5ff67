import test from 'node:test';
import assert from 'node:assert/strict';
import { Clock, drain } from '../fake/clock.js';
import { seededRandom } from '../fake/random.js';
import { Network, Shop } from '../fake/shop.js';
import { Browser } from '../fake/tabs.js';

const wanted = ['cart', 'sku:A', 'sku:B'];

/** settle runs what several tabs say to each other. */
async function settle() {
  for (let i = 0; i < 4; i++) await drain();
}

// Tabs of one browser freeze, are left, loaded again and looked at; the network loses, repeats
// and reorders. In the end all tabs show the shop's cart, and each click counted once.
test('tabs converge for 150 seeds, and each click counts once', async () => {
  const met = { lost: 0, repeated: 0, cuts: 0, frozen: 0, reloads: 0, leaders: 0, clicks: 0, melted: 0 };
  for (let seed = 1; seed <= 150; seed++) {
    const random = seededRandom(seed);
    const pick = (n) => Math.floor(random() * n);
    const clock = new Clock();
    const browser = new Browser(clock);
    const { server } = browser;
    const shop = new Shop();
    const network = new Network({ server }, shop, random);
    const tabs = [];
    const open = async () => {
      const tab = await browser.open({ random });
      tab.live.subscribe(wanted);
      tab.shown = new Map();
      return tab;
    };
    for (let i = 0; i < 3; i++) tabs.push(await open());
    let clicks = 1_000;
    tabs[0].live.cart.add('X', clicks - 1).catch(() => {}); // so that no click takes more than there is
    tabs[0].live.cart.add('X', 1).catch(() => {});
    let leader = null;
    for (let i = 0; i < 80; i++) {
      const tab = tabs[pick(3)];
      switch (pick(8)) {
        case 0:
        case 1:
          network.push(shop.changeBadge(`sku:${'AB'[pick(2)]}`, ['in', 'low', 'out'][pick(3)]));
          break;
        case 2:
        case 3:
        case 4:
          if (tab.frozen) break;
          for (let n = 0; n < 1 + pick(3); n++) {
            const quantity = pick(3) === 0 ? -1 : 1;
            clicks += quantity;
            met.clicks++;
            tab.live.cart.add('X', quantity).catch(() => {});
          }
          break;
        case 5:
          if (tab.frozen) await tab.thaw();
          else if (tabs.filter((t) => t.frozen).length < 2) {
            tab.frozen = true;
            met.frozen++;
          }
          break;
        case 6:
          if (!tab.frozen) await tab.signal('visible');
          break;
        default:
          if (pick(2) === 0 && server.last && !server.last.closed) {
            met.cuts++;
            await server.cut();
          } else if (pick(3) === 0 && !tab.frozen) {
            met.reloads++;
            await tab.signal('freeze'); // pagehide
            tabs[tabs.indexOf(tab)] = await open();
          }
      }
      await network.run(0.1);
      await clock.advance(pick(2_500));
      await settle();
      const leads = tabs.find((t) => t.live.leads && !t.frozen);
      if (leads && leads !== leader) {
        met.leaders++;
        leader = leads;
      }
      for (const t of tabs) {
        for (const topic of wanted) {
          const value = t.live.get(topic);
          if (t.live.isLive(topic)) assert.notEqual(value, undefined, `seed ${seed}, step ${i}: ${topic} is live without a value`);
          const before = t.shown.get(topic) ?? 0;
          assert.ok((value?.version ?? 0) >= before, `seed ${seed}, step ${i}: ${topic} went from ${before} to ${value?.version}`);
          t.shown.set(topic, value?.version ?? 0);
        }
      }
    }
    for (const t of tabs) if (t.frozen) await t.thaw();
    for (let i = 0; i < 300; i++) {
      if (i % 50 === 0) for (const t of tabs) await t.signal('visible');
      await network.run(0);
      await clock.advance(1_000);
      await settle();
    }
    const label = `seed ${seed}`;
    assert.equal(tabs.filter((t) => t.live.leads).length, 1, `${label}: one leader`);
    assert.equal(server.sockets.filter((s) => !s.closed).length, 1, `${label}: one socket`);
    for (const [i, t] of tabs.entries()) {
      const { state } = t.live.cart;
      assert.equal(state.pending, 0, `${label}: tab ${i} has nothing pending`);
      assert.equal(state.lines.get('X').quantity, shop.data.lines.X.quantity, `${label}: the cart of tab ${i}`);
      for (const topic of wanted) assert.ok(t.live.isLive(topic), `${label}: ${topic} is live in tab ${i}`);
    }
    assert.equal(shop.data.lines.X.quantity, clicks, `${label}: each click counted once`);
    assert.equal(browser.kept.changes.size, 0, `${label}: nothing is kept`);
    met.lost += network.lost;
    met.repeated += network.repeated;
    met.melted += met.clicks - Object.keys(shop.data.keys).length;
  }
  for (const [what, n] of Object.entries(met)) assert.ok(n > 50, `${what} was met ${n} times`);
});
