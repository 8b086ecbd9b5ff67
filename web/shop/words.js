// All words of the shop in one table. Functions take names, numbers and dates that are
// written already.

const plural = (n, one, many) => `${n} ${n === 1 ? one : many}`;

export const words = {
  shop: 'SecureCart',
  items: (n) => plural(n, 'item', 'items'),
  at: (text, time) => `${text} at ${time}`,

  stock: {
    in: 'In stock',
    low: (n) => (n === undefined ? 'Only a few left' : `Only ${n} left`),
    out: 'Sold out',
    back: (date) => (date ? `Back order, ${date}` : 'Back order'),
    someOut: 'Some sold out',
    someOutAt: 'Some out',
    fewLeft: 'Few left',
    asking: 'Checking stock…',
    unknown: 'Stock not known',
    denied: 'No stock shown',
  },

  status: {
    live: 'Live',
    connecting: 'Connecting',
    offline: (time) => (time ? `Offline since ${time}` : 'Offline'),
    ended: 'Closed by the shop',
    liveLong: 'Live. Stock changes while you look.',
    connectingLong: 'Connecting to the shop…',
    offlineLong: (time) => (time ? `Offline. Stock is as it was at ${time}.` : 'Offline. Stock is not known.'),
    offlineKept: 'Offline. Changes are kept here and sent later.',
    endedLong: 'The shop closed the connection. Load the page again.',
    back: (n) =>
      n > 0 ? `You are back online. ${n === 1 ? '1 change was' : `${n} changes were`} sent.` : 'You are back online.',
  },

  home: {
    title: ['Useful things', 'from six makers'],
    text: 'Stock changes while you look, and one cart follows you to every device you sign in on.',
    all: 'All',
    allProducts: 'All products',
    count: (products, skus) =>
      products === skus
        ? plural(products, 'product', 'products')
        : `${plural(products, 'product', 'products')}, ${skus} to choose from`,
    search: (n) => `Search ${n} products`,
    found: (n) => (n === 0 ? 'Nothing found.' : `${plural(n, 'product', 'products')} found.`),
    nothing: (text) => `Nothing found for “${text}”`,
    nothingHint: 'Check the spelling, or look through a category.',
    devicesTitle: 'See it on two devices',
    devicesText: 'A laptop and a phone in one window, with one cart.',
    devicesOpen: 'Open both',
  },

  product: {
    from: 'from',
    add: 'Add to cart',
    goToCart: 'Go to cart',
    choose: { colour: 'Choose colour', size: 'Choose size' },
    inCart: 'in cart',
    colour: (name) => `Colour: ${name}`,
    size: (name) => `Size: ${name}`,
    notIn: (colour) => `Not in ${colour}`,
    versions: (n) => `All ${n} versions`,
    priceByVersion: 'Price by version',
    priceIn: (price, names) => `${price} in ${names}`,
    worksOut: 'The shop works out the total in your cart.',
    notSetAside: 'Things in a cart are not set aside for you. The shop counts again when you order.',
    fell: (was, left, mine) =>
      `It was ${was} when you came to this page, now ${left === 1 ? '1 is' : `${left} are`} left.` +
      (mine === 0 ? '' : mine <= left ? ` Your ${mine} can still be ordered.` : ` ${mine} are in your cart.`),
    offline: 'You can still change your cart. Changes are kept on this device and sent when you are back online.',
    one: { more: (name) => `One more: ${name}`, fewer: (name) => `One fewer: ${name}` },
    quantity: (name) => `Quantity: ${name}`,
  },

  cart: {
    title: 'Your cart',
    short: 'Cart',
    view: 'View cart',
    checkout: 'Checkout',
    total: 'Total',
    saved: 'saved',
    empty: 'Your cart is empty',
    emptyHint: 'What you add here shows on every device you sign in on.',
    look: 'Look around',
    reading: 'Reading your cart…',
    notKnown: 'Your cart has not been read yet. There is no connection to the shop.',
    each: (price) => `${price} each`,
    remove: 'Remove',
    removeOf: (name) => `Remove ${name}`,
    putBack: 'Put back',
    putBackOf: (name) => `Put back ${name}`,
    removed: (name) => `${name} was removed.`,
    head: (lines, items, unsaved) =>
      `${plural(lines, 'line', 'lines')}, ${plural(items, 'item', 'items')}` +
      (unsaved > 0 ? `, ${plural(unsaved, 'change', 'changes')} not saved yet` : ''),
    summary: 'Summary',
    counted: 'Saved, and can be ordered',
    unsaved: 'Not saved yet',
    left: 'Left out for now',
    notSetAside: 'Things in a cart are not set aside for you.',
    added: (name) => `${name} is in your cart.`,
    waits: (n) => `${plural(n, 'change waits', 'changes wait')} for the connection`,
    notKept: 'This browser cannot keep changes. Stay on this page until they are saved.',
    otherCart: (n) => `This browser has another cart, with ${plural(n, 'item', 'items')}.`,
    makeOne: 'Make one cart',
    why: {
      empty: 'Your cart is empty.',
      offline: 'Checkout opens when you are back online.',
      pending: 'Checkout opens when every change is saved.',
      needs: 'Checkout opens when the lines above are settled.',
      both: 'Checkout opens when every change is saved and the lines above are settled.',
    },
    needYou: (lines, changes) => {
      const who = lines === 1 ? 'One line needs you' : `${numeral(lines)} lines need you`;
      const what =
        changes === 1 ? 'one change is not saved yet' : `${numeral(changes).toLowerCase()} changes are not saved yet`;
      if (lines === 0) return `${what[0].toUpperCase()}${what.slice(1)}.`;
      return changes === 0 ? `${who} before you can order.` : `${who}, and ${what}.`;
    },
  },

  line: {
    saving: (from, to) => `Saving: ${from} becomes ${to}`,
    savingNew: 'Saving: new line',
    savingGone: 'Saving: removed',
    waiting: (from, to) => `Waiting: ${from} becomes ${to}`,
    waitingNew: 'Waiting: new line',
    waitingGone: 'Waiting: removed',
    uncertain: (from, to) => `Not confirmed: ${from} becomes ${to}`,
    kept: 'Kept on this device. We send it when you are back online.',
    keptNew: 'Added while offline. The shop has not seen this line yet.',
    asking: 'We do not know whether this change arrived. We are asking the shop.',
    clamped: (wanted, got) =>
      `You asked for ${wanted}. Only ${got} ${got === 1 ? 'is' : 'are'} left, so ${got} ` +
      `${got === 1 ? 'is' : 'are'} in your cart.`,
    most: (n) => `${n} of one product is the most.`,
    noStock: (mine) =>
      mine > 0 ? `Sold out. Nothing was added; your ${mine} stay in the cart.` : 'Sold out. Nothing was added.',
    out: 'Sold out while it was in your cart. It cannot be ordered now. The line stays until you remove it.',
    short: (mine, left) => `${mine} in your cart, only ${left} left.`,
    keep: (n) => `Keep ${n}`,
    back: (maker, date) =>
      date ? `You can order it now. ${maker || 'The maker'} expects it on ${date}.` : 'You can order it now.',
    conflict: (mine, now) => `You typed ${mine} here while another device set ${now}. The cart says ${now}.`,
    makeIt: (n) => `Make it ${n}`,
    notInTotal: 'not in total',
    notSaved: 'not saved yet',
    forSome: (n) => `for ${n}`,
    forSomeOf: (n, of) => `for ${n} of ${of}`,
    failed: (why) => `Not saved: ${why}`,
    why: {
      out: 'sold out',
      short: (mine, left) => `${mine} in cart, ${left} left`,
      saving: 'saving',
      waiting: 'waiting',
      uncertain: 'not confirmed',
    },
  },

  checkout: {
    before: 'Before you order',
    title: 'Checkout',
    name: 'Name',
    nameWrong: 'Write your name.',
    email: 'E-mail',
    emailWrong: 'Write the whole address, such as alice@example.com.',
    total: 'Total, tax included',
    place: (total) => `Place order, ${total}`,
    placing: 'Placing your order…',
    note:
      'The shop counts again at this moment. If something has gone, nothing is ordered and you see what. ' +
      'No money is taken: this is a demo.',
    thanks: (name) => `Thank you, ${name}`,
    placed: (items, total) => `Your order is placed: ${plural(items, 'item', 'items')}, ${total}.`,
    emptyNow: 'Your cart is empty now. Your other devices show it as soon as they are connected.',
    goOn: 'Go on shopping',
    nothing: (why) => `Nothing was ordered: ${why}`,
    soldOut: (names) => `${names} ${names.includes(' and ') ? 'are' : 'is'} sold out.`,
    fewer: (name, left) => `only ${left} of ${name} ${left === 1 ? 'is' : 'are'} left.`,
    changed: 'your cart was changed on another device. Look at it again.',
    offline: 'there is no connection to the shop.',
    emptyCart: 'your cart is empty.',
    others: (items, total) => `Order the other ${plural(items, 'item', 'items')}, ${total}`,
    backToCart: 'Back to cart',
    unknown: 'We do not know yet whether your order was placed. Do not order again: we are asking the shop.',
    elsewhere: 'Your cart was ordered on another device.',
  },

  signIn: {
    title: 'Who are you?',
    text: 'A demo: no password is asked for.',
    failed: (why) => `You could not be signed in: ${why}`,
    noAdmin: 'This shop has no admin API, so nobody can sign in here.',
    waiting: 'Signing you in…',
    ended: 'Your sign-in has ended',
    endedText: 'You see the shop as a guest now. Your own cart stays with your account.',
    again: 'Sign in again',
    newGuest: 'Your earlier cart as a guest has expired. You begin with a new one.',
    retry: 'Your sign-in cannot be checked at the moment. The shop tries again.',
  },

  merge: {
    title: (name) => `You have two carts, ${name}`,
    now: (name) => `One cart, ${name}`,
    text: 'One from this browser, one of your own. How should they become one?',
    policies: {
      sum: ['Add them together', '2 here and 1 there become 3'],
      max: ['Take the larger number', 'of each product'],
      mine: ['Keep my own number', 'where both have a product'],
      theirs: ['Take this browser’s number', 'where both have a product'],
    },
    head: ['Product', 'This browser', 'Yours', 'Together', 'Where from'],
    both: 'Both carts',
    here: 'Only in this browser',
    yours: 'Only in yours',
    limited: (left, wanted) => `Only ${left} left, so ${left} instead of ${wanted}`,
    most: (most) => `${most} of one product is the most`,
    none: 'Sold out, so nothing is added',
    go: 'Make one cart',
    notNow: 'Not now',
    forecast:
      'A forecast from what is known now. The shop decides when you press the button, and says ' + 'what came of it.',
    done: (lines, items) =>
      `Your two carts are one now: ${plural(lines, 'product', 'products')}, ${plural(items, 'item', 'items')}.`,
    moved: 'What you had in this browser is in your cart now.',
    clamped: (name, wanted, got) =>
      `${name}: ${got} instead of ${wanted}, only ${got} ${got === 1 ? 'was' : 'were'} left.`,
    skipped: {
      removed: (name) => `${name} was not taken over: you removed it later on another device.`,
      unknown: (name) => `${name} was not taken over: it is not sold any more.`,
      no_stock: (name) => `${name} was not taken over: it is sold out.`,
      limit: (name) => `${name} was not taken over: your cart is full.`,
    },
    addAgain: 'Add it again',
    failed: (why) => `Your carts are still two: ${why}`,
  },

  maker: {
    title: 'Your stock',
    adminTitle: 'All stock',
    text:
      'Exact figures, for you and the shop’s admin. ' +
      'Everybody else sees “In stock”, “Only 4 left” or “Sold out”.',
    find: 'Find a product',
    filter: { all: 'All', low: 'Low', out: 'Sold out' },
    head: ['Product', 'What shoppers see', 'Available', 'Last change seen'],
    none: 'No change since you opened this page',
    elsewhere: (time) => `changed elsewhere, ${time}`,
    you: (time) => `you, ${time}`,
    saving: (by) => `Saving ${by}`,
    notSaved: (why) => `Not saved: ${why}`,
    already: (n) => `it was ${n} already.`,
    changed: (n) => `it is ${n} by now.`,
    set: (n) => `Set it to ${n}`,
    note:
      '+ and − change by one, whatever the figure is by then: two people pressing at once both count. ' +
      'Type a figure to set it; if it changed meanwhile, you are asked first.',
    offline: 'Offline: figures are as they were, and stock is not changed from here until you are back.',
    more: (n) => `These are the first ${n} products.`,
    noRight: 'This page is for makers and the shop’s admin.',
    available: (name) => `Available: ${name}`,
  },

  devices: {
    title: 'Two devices, one cart',
    laptop: 'Laptop',
    phone: 'Phone',
    tryIt: 'Try something',
    both: 'Press + on both at once',
    off: 'Take the phone offline',
    on: 'Bring the phone back online',
    signIn: (name) => `Sign in as ${name} on the phone`,
    admin: 'As the shop’s admin',
    set: (name, n) => `${name}: set to ${n}`,
    sellOut: (name) => `${name}: sell out`,
    cut: 'Cut all connections',
    happened: 'What happened',
    cart: (device, text) => `${device}: ${text}`,
    stockIs: (name, text) => `${name}: ${text.charAt(0).toLowerCase()}${text.slice(1)}`,
    inCart: (name, n) => `${n} × ${name} in the cart`,
    kept: (name, from, to) => `${name}, ${from} becomes ${to}: kept, not sent yet`,
    gone: (name) => `${name} is out of the cart`,
  },

  notFound: { title: 'This page does not exist', text: 'The address may be old or mistyped.', go: 'To the shop' },
  noCatalogue: {
    title: 'We cannot reach the shop',
    text: 'The list of products could not be read.',
    go: 'Try again',
  },
  restarted: 'The shop started over. Your cart was read again.',
  removedElsewhere: (name) => `${name} was removed on another device.`,
  refused: 'The shop’s files load, but it opens no connection to this page. Perhaps it does not accept its address.',

  errors: {
    no_stock: 'it is sold out.',
    limit: 'your cart is full. Remove a line first.',
    conflict: 'it was changed on another device.',
    gone_version: 'your cart was changed in the meantime.',
    old_epoch: 'the shop started over. Look at your cart again.',
    token_expired: 'your sign-in has ended.',
    token_bad: 'your sign-in was not accepted.',
    denied: 'that is not allowed.',
    busy: 'the shop is busy. Try again.',
    slow_down: 'that was fast. Try again in a moment.',
    identity: 'you are signed in as someone else now.',
    uncertain: 'we do not know whether it arrived.',
    internal: 'something went wrong in the shop. Try again.',
    closed: 'the connection was closed.',
  },
  error: (error) => words.errors[error?.code] ?? 'that did not work.',

  footer: {
    demo: 'This is a demo. Nothing is sold and nothing is charged.',
    prices: 'Prices in euro, tax included',
  },
  account: 'Account',
  back: 'Back',
  search: 'Search',
};

const numeral = (n) =>
  ['No', 'One', 'Two', 'Three', 'Four', 'Five', 'Six', 'Seven', 'Eight', 'Nine', 'Ten'][n] ?? String(n);

/** list joins names as people do: "A", "A and B", "A, B and C". */
export function list(names) {
  if (names.length < 2) return names.join('');
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}
