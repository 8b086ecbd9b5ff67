import test from 'node:test';
import assert from 'node:assert/strict';
import { State } from '../src/state.js';
import { seededRandom, shuffle } from '../fake/random.js';
import { golden, goldens } from '../fake/server.js';

const badge = (version, state = 'in', quantity) => ({ version, state, quantity });
const delta = (topics, epoch = 'k3') => ({ type: 'delta', epoch, topics });
const cart = (version, lines, from) => delta({ cart: { from, version, lines } });
const line = (quantity, version) => ({ quantity, version });
const lines = (state) => Object.fromEntries([...(state.get('cart')?.lines ?? [])].map(([sku, l]) => [sku, l.quantity]));

/** stateAfter returns a State that has taken some messages. */
function stateAfter(...messages) {
  const state = new State();
  for (const m of messages) state.apply(m);
  return state;
}

test('every golden message of the server is accepted', async (t) => {
  const names = goldens('server');
  assert.ok(names.length >= 20, `only ${names.length} goldens were found`);
  for (const name of names) {
    await t.test(name, () => {
      const message = golden(name);
      const state = stateAfter({ type: 'hello', epoch: 'k3' });
      const { changed, reset } = state.apply(message);
      assert.equal(reset, false);
      for (const [topic, value] of Object.entries(message.topics ?? {})) {
        if (topic === 'cart' && value.from > 0) continue; // a step from a version that the state does not have
        assert.ok(changed.includes(topic), `${topic} was not taken`);
        assert.equal(state.get(topic).version, value.version);
        assert.equal(state.get(topic).state, value.state);
        assert.equal(state.get(topic).until, value.until);
      }
    });
  }
});

test('the golden messages in their order result in the right cart', () => {
  const state = stateAfter(golden('hello-answer.server'), golden('subscribe-answer.server'));
  assert.deepEqual(lines(state), { MUG: 1 });
  state.apply(golden('subscribe-resume-answer.server')); // 17 -> 19
  assert.equal(state.get('cart').version, 19);
  assert.deepEqual(lines(state), { 'TEE-RED-M': 2 });
  state.apply(golden('set-answer.server')); // 19 -> 20
  state.apply(golden('merge-answer.server')); // 20 -> 21
  assert.deepEqual(lines(state), { 'TEE-RED-M': 2, 'CAP-NAVY': 1 });
  assert.equal(state.get('cart').version, 21);
  assert.deepEqual(state.apply(golden('checkout-answer.server')).ordered, ['cart']); // 21 -> 22
  assert.equal(state.get('cart').version, 22);
  assert.deepEqual(lines(state), {});
});

test('a cart without lines was not ordered', () => {
  const fresh = new State();
  assert.deepEqual(fresh.apply(golden('checkout-delta.server')).ordered, [], 'a page that opens later');
  assert.equal(fresh.get('cart').version, 22);
  assert.deepEqual(fresh.apply(golden('checkout-empty-answer.server')).ordered, []);
  const old = stateAfter(cart(3, { A: line(1, 3) }));
  assert.deepEqual(old.apply(cart(4, {})).ordered, [], 'removed, not ordered');
});

test('a badge only moves to a higher version', () => {
  const state = stateAfter(delta({ 'sku:A': badge(5, 'low', 2) }));
  for (const older of [badge(4, 'in'), badge(5, 'out'), badge(0, 'out')]) {
    assert.deepEqual(state.apply(delta({ 'sku:A': older })).changed, []);
    assert.deepEqual(state.get('sku:A'), badge(5, 'low', 2));
  }
  assert.deepEqual(state.apply(delta({ 'sku:A': badge(6, 'out') })).changed, ['sku:A']);
  assert.equal(state.get('sku:A').state, 'out');
});

test('a pushed value with a newer rev is taken whatever its version', () => {
  const state = stateAfter(delta({ 'sku:A': badge(9) }));
  state.apply(delta({ 'sku:A': { ...badge(3, 'low', 4), rev: '99' } }));
  assert.deepEqual(state.get('sku:A'), badge(3, 'low', 4));
  for (const older of ['99', '98', '9', '']) {
    assert.deepEqual(state.apply(delta({ 'sku:A': { ...badge(3, 'out'), rev: older } })).changed, [], older);
  }
  state.apply(delta({ 'sku:A': { version: 0, state: 'out', rev: '100' } }));
  assert.deepEqual(state.get('sku:A'), badge(0, 'out'), 'a longer rev is newer');
  assert.deepEqual(state.apply(delta({ 'sku:A': badge(1, 'in') })).changed, ['sku:A'], 'the row was made again');
});

test('an answer with a lower version is taken if nothing changed since the request', () => {
  const answer = { type: 'snapshot', epoch: 'k3', topics: { 'sku:A': badge(3, 'low', 1) } };
  const state = stateAfter(delta({ 'sku:A': badge(9) }));
  assert.deepEqual(state.apply(answer).changed, [], 'not the answer to a request');
  const asked = state.moment(['sku:A']);
  state.apply(delta({ 'sku:A': badge(10) }));
  const { changed, gaps } = state.apply(answer, asked);
  assert.deepEqual(changed, [], 'a push was taken in between');
  assert.deepEqual(gaps, ['sku:A'], 'which may be older than the answer');
  const again = state.apply(answer, state.moment(['sku:A']));
  assert.deepEqual(again.changed, ['sku:A']);
  assert.deepEqual(again.gaps, []);
  assert.deepEqual(state.get('sku:A'), badge(3, 'low', 1));
});

test('an answer with another value of the version that was pushed since the request is asked for again', () => {
  const answer = { type: 'snapshot', epoch: 'k3', topics: { 'sku:A': badge(3, 'out'), 'sku:B': badge(3, 'low', 1) } };
  const state = stateAfter(delta({ 'sku:A': badge(2), 'sku:B': badge(2) }));
  const asked = state.moment(['sku:A', 'sku:B']);
  state.apply(delta({ 'sku:A': { ...badge(3, 'in'), rev: '7' }, 'sku:B': badge(3, 'low', 1) }));
  assert.deepEqual(state.apply(answer, asked).gaps, ['sku:A'], 'B is the same');
  assert.deepEqual(state.get('sku:A'), badge(3, 'in'));
  const again = state.apply(answer, state.moment(['sku:A', 'sku:B']));
  assert.deepEqual(again.gaps, []);
  assert.deepEqual(state.get('sku:A'), badge(3, 'out'));
});

test('a new epoch voids revs, and an answer of an earlier epoch proves nothing', () => {
  const state = stateAfter(delta({ 'sku:A': { ...badge(3), rev: '500' } }));
  const asked = state.moment(['sku:A']);
  state.apply(delta({ 'sku:A': { ...badge(2), rev: '7' } }, 'k4'));
  assert.deepEqual(state.get('sku:A'), badge(2));
  assert.deepEqual(state.apply({ type: 'snapshot', epoch: 'k3', topics: { 'sku:A': badge(1) } }, asked).changed, []);
  state.apply({ type: 'snapshot', epoch: 'k4', topics: { 'sku:A': badge(1) } }, asked);
  assert.deepEqual(state.get('sku:A'), badge(2));
});

test('a conditional subscribe names what is shown of a SKU', () => {
  const state = stateAfter(delta({ 'sku:A': badge(5, 'low', 2) }), cart(3, {}));
  assert.deepEqual(state.versions(['sku:A', 'sku:B', 'cart']), { 'sku:A': badge(5, 'low', 2), 'sku:B': 0, cart: 3 });
});

test('malformed messages change nothing', () => {
  const state = stateAfter(delta({ 'sku:A': badge(5) }), cart(3, { A: line(1, 3) }));
  const bad = [null, 7, 'x', [], {}, { type: 'delta' }, { type: 'news' }, { type: 'delta', epoch: 'k3', topics: [1] },
    delta({ 'sku:A': null }), delta({ 'sku:A': badge('9') }), delta({ 'sku:A': badge(9.5) }),
    delta({ 'sku:A': badge(2 ** 60) }), delta({ 'sku:A': { version: 9 } }), delta({ moon: badge(1) }),
    cart(9, null), cart(9, {}, -1), cart(9, {}, 'x'), { type: 'delta', epoch: 7, topics: { 'sku:A': badge(9) } }];
  for (const message of bad) {
    assert.deepEqual(state.apply(message).changed, [], JSON.stringify(message));
    assert.equal(state.get('sku:A').version, 5);
    assert.equal(state.get('cart').version, 3);
  }
});

test('a step of the cart', async (t) => {
  const start = () => stateAfter(cart(17, { MUG: line(1, 17), CAP: line(4, 9) }));

  await t.test('from the current version', () => {
    const state = start();
    state.apply(cart(18, { TEE: line(2, 18), MUG: null }, 17));
    assert.deepEqual(lines(state), { CAP: 4, TEE: 2 });
  });
  await t.test('from an older version', () => {
    const state = start();
    state.apply(cart(18, { TEE: line(2, 18), CAP: line(4, 9) }, 8));
    assert.deepEqual(lines(state), { MUG: 1, CAP: 4, TEE: 2 });
  });
  await t.test('that is repeated changes nothing', () => {
    const state = start();
    const step = cart(18, { TEE: line(2, 18) }, 17);
    state.apply(step);
    assert.deepEqual(state.apply(step), { changed: [], gaps: [], reset: false, ordered: [] });
  });
  await t.test('to an older version is ignored', () => {
    const state = start();
    assert.deepEqual(state.apply(cart(16, { CAP: null }, 15)), { changed: [], gaps: [], reset: false, ordered: [] });
    assert.deepEqual(lines(state), { MUG: 1, CAP: 4 });
  });
  await t.test('after a gap is reported and not applied', () => {
    const state = start();
    const step = cart(20, { TEE: line(1, 20) }, 19);
    assert.deepEqual(state.apply(step), { changed: [], gaps: ['cart'], reset: false, ordered: [] });
    assert.deepEqual(lines(state), { MUG: 1, CAP: 4 });
    assert.ok(state.isBehind('cart'));
    assert.deepEqual(state.versions(['cart']), { cart: 17 });
    state.apply(cart(20, { TEE: line(1, 20), MUG: null }, 17));
    assert.ok(!state.isBehind('cart'));
    assert.deepEqual(lines(state), { CAP: 4, TEE: 1 });
  });
  await t.test('with the whole cart replaces it', () => {
    const state = start();
    state.apply(cart(30, { TEE: line(1, 30) }));
    assert.deepEqual(lines(state), { TEE: 1 });
    assert.deepEqual(state.apply(cart(29, { MUG: line(9, 29) })).changed, []);
  });
  await t.test('from version 0 needs no earlier value', () => {
    const state = new State();
    state.apply(cart(2, { TEE: line(1, 2) }, 0));
    assert.deepEqual(lines(state), { TEE: 1 });
  });
  await t.test('does not change values that get has returned', () => {
    const state = start();
    const before = state.get('cart');
    state.apply(cart(18, { MUG: null }, 17));
    assert.equal(before.lines.size, 2);
  });
  await t.test('with SKUs that have a meaning in JavaScript', () => {
    const state = start();
    const lines = '{"__proto__":{"quantity":3,"version":18},"constructor":{"quantity":1,"version":18}}';
    state.apply(cart(18, JSON.parse(lines), 17));
    assert.equal(state.get('cart').lines.get('__proto__').quantity, 3);
    assert.equal(state.get('cart').lines.size, 4);
  });
});

test('answers to writes are state too', () => {
  const state = stateAfter(cart(17, {}));
  assert.deepEqual(state.apply(golden('add-answer.server')).changed, ['cart']);
  assert.deepEqual(lines(state), { 'TEE-RED-M': 1 });
  assert.deepEqual(state.apply(golden('add-duplicate-answer.server')).changed, [], 'the first answer again');
  const refused = state.apply(golden('set-conflict-answer.server'));
  assert.deepEqual(refused, { changed: [], gaps: ['cart'], reset: false, ordered: [] });
  assert.deepEqual(state.apply({ type: 'ok', from: 18, version: 18, lines: { MUG: null } }).changed, []);
});

test('a new epoch voids all earlier values', () => {
  const state = stateAfter(delta({ 'sku:A': badge(90), 'sku:B': badge(7) }), cart(50, {}));
  const result = state.apply(delta({ 'sku:A': badge(1, 'out') }, 'k4'));
  assert.equal(result.reset, true);
  assert.deepEqual(result.changed.sort(), ['cart', 'sku:A', 'sku:B']);
  assert.equal(state.epoch, 'k4');
  assert.deepEqual(state.get('sku:A'), badge(1, 'out'));
  assert.equal(state.get('sku:B'), undefined);
  assert.deepEqual(state.versions(['sku:B', 'cart']), { 'sku:B': 0, cart: 0 });
});

test('a late message does not restore an ended epoch', () => {
  const state = stateAfter(delta({ 'sku:A': badge(90) }), delta({ 'sku:A': badge(1) }, 'k4'));
  for (const type of ['delta', 'snapshot']) {
    const message = { ...delta({ 'sku:A': badge(91, 'out') }), type };
    assert.deepEqual(state.apply(message), { changed: [], gaps: [], reset: false, ordered: [] });
  }
  assert.equal(state.epoch, 'k4');
  assert.equal(state.apply({ type: 'hello', epoch: 'k3' }).reset, true, 'hello may return to an earlier epoch');
});

test('after soften, the same version is accepted once, an older one is not', () => {
  const state = stateAfter(delta({ 'sku:A': badge(5, 'in') }));
  state.reviewAll();
  assert.deepEqual(state.versions(['sku:A']), { 'sku:A': 0 });
  assert.deepEqual(state.apply(delta({ 'sku:A': badge(4, 'out') })).changed, []);
  assert.deepEqual(state.apply(delta({ 'sku:A': badge(5, 'in', 25) })).changed, ['sku:A']);
  assert.deepEqual(state.apply(delta({ 'sku:A': badge(5, 'in') })).changed, []);
});

// A shop makes changes. A network shuffles, repeats and loses the messages about them.
// The answer to one conditional subscribe, as in every keep-alive, ends the run.
test('state converges for 200 seeds', () => {
  for (let seed = 1; seed <= 200; seed++) {
    const random = seededRandom(seed);
    const pick = (n) => Math.floor(random() * n);
    const shop = { badges: {}, version: 0, lines: {}, cartVersion: 0, changedAt: {} };
    const lineOf = (sku) => (shop.lines[sku] ? line(shop.lines[sku], shop.changedAt[sku]) : null);
    const linesOf = (skus) => Object.fromEntries(skus.map((sku) => [sku, lineOf(sku)]));
    const since = (from) => ({
      from,
      version: shop.cartVersion,
      lines: linesOf(Object.keys(shop.changedAt).filter((sku) => shop.changedAt[sku] > from)),
    });
    const whole = () => ({
      version: shop.cartVersion,
      lines: linesOf(Object.keys(shop.lines).filter((sku) => shop.lines[sku] > 0)),
    });
    const state = stateAfter({ type: 'hello', epoch: 'k3' });
    // B is counted. A and C have a second writer that does not count, or removes the row.
    let sequence = 90;
    const writeUncounted = (sku) => {
      const was = shop.badges[sku];
      const version = was && pick(3) ? Math.max(1, was.version - pick(4)) : 0;
      shop.badges[sku] = version ? badge(version, ['in', 'low', 'out'][pick(3)]) : badge(0, 'out');
      return { ...shop.badges[sku], rev: String(++sequence) };
    };
    const highest = new Map();
    const history = new Map(); // cart version -> lines
    const deliver = (message, asked) => {
      state.apply(message, asked);
      for (const topic of ['cart', 'sku:A', 'sku:B', 'sku:C']) {
        const value = state.get(topic);
        if (!value) continue;
        const counted = topic === 'cart' || topic === 'sku:B';
        const forward = value.version >= (highest.get(topic) ?? 0);
        assert.ok(forward || !counted, `seed ${seed}: ${topic} went back to an older version`);
        highest.set(topic, value.version);
        if (topic !== 'cart') continue;
        const message = `seed ${seed}: wrong cart at version ${value.version}`;
        assert.deepEqual(lines(state), history.get(value.version), message);
      }
    };
    const sorted = (o) => Object.fromEntries(Object.entries(o).filter(([, q]) => q > 0).sort());
    history.set(0, {});
    const network = [];
    for (let i = 0; i < 60; i++) {
      if (pick(2)) {
        const sku = `sku:${'ABC'[pick(3)]}`;
        if (sku !== 'sku:B' && pick(2)) {
          network.push(delta({ [sku]: writeUncounted(sku) }));
        } else {
          sequence++;
          const version = sku === 'sku:B' ? ++shop.version : (shop.badges[sku]?.version ?? 0) + 1;
          shop.badges[sku] = badge(version, ['in', 'low', 'out'][pick(3)]);
          network.push(delta({ [sku]: shop.badges[sku] }));
        }
      } else {
        const from = Math.max(0, shop.cartVersion - pick(3)); // a delta may contain several changes
        const sku = 'XYZ'[pick(3)];
        shop.lines[sku] = pick(4);
        shop.changedAt[sku] = ++shop.cartVersion;
        history.set(shop.cartVersion, sorted(shop.lines));
        network.push(delta({ cart: pick(8) ? since(from) : whole() }));
      }
      if (pick(5) === 0) network.push(network[pick(network.length)]); // repeated
      if (network.length > 6 + pick(6)) {
        shuffle(network, random);
        for (const message of network.splice(0, pick(network.length))) {
          if (pick(5)) deliver(message); // otherwise lost
        }
      }
    }
    for (const message of shuffle(network, random)) if (pick(5)) deliver(message);
    const versions = state.versions(['cart', 'sku:A', 'sku:B', 'sku:C']);
    const asked = state.moment(['cart', 'sku:A', 'sku:B', 'sku:C']);
    const topics = {};
    const same = (a, b) => a.version === b.version && a.state === b.state && a.quantity === b.quantity;
    for (const [sku, b] of Object.entries(shop.badges)) if (!same(versions[sku], b)) topics[sku] = b;
    if (versions.cart !== shop.cartVersion) topics.cart = versions.cart ? since(versions.cart) : whole();
    deliver({ type: 'snapshot', epoch: 'k3', topics }, asked);
    for (const [sku, b] of Object.entries(shop.badges)) assert.deepEqual(state.get(sku), b, `seed ${seed}`);
    assert.deepEqual(lines(state), sorted(shop.lines), `seed ${seed}`);
    assert.ok(!state.isBehind('cart'));
  }
});

test('the cart after a removed one is shown whole', () => {
  const state = stateAfter(cart(1764000000000003, { MUG: line(2, 1764000000000001) }));
  state.apply({ type: 'ok', from: 0, version: 1764000900000000, lines: { CAP: line(1, 1764000900000000) } });
  assert.deepEqual(lines(state), { CAP: 1 }, 'the answer came before the removal was pushed');
  assert.deepEqual(state.apply(cart(1764000000000004, {})).changed, [], 'the removal is late');
  assert.deepEqual(lines(state), { CAP: 1 });
});

test('an answer or a refusal that knows no cart is taken', () => {
  const state = stateAfter(cart(1764000000000003, { MUG: line(2, 1764000000000001) }));
  const refused = { type: 'error', code: 'gone_version', version: 0, lines: { MUG: null } };
  assert.deepEqual(state.apply(refused).gaps, ['cart'], 'subscribe again');
  const asked = state.moment(['cart']);
  state.apply({ type: 'snapshot', epoch: 'k3', topics: { cart: { version: 0, lines: {} } } }, asked);
  assert.deepEqual(lines(state), {});
});
