// The catalogue as products: SKUs of one group are versions of one product, which
// differ in colour, size and price.

import { parsePrice } from './money.js';

const sizes = ['XXS', 'XS', 'S', 'M', 'L', 'XL', 'XXL', 'XXXL'];

/** defaultCurrency is that of catalogues that name none. */
const defaultCurrency = 'EUR';

/**
 * Shop has the products of a catalogue. items: SKU → {sku, name, amount, currency, colour,
 * size, …}. products: [{id, name, versions, colours, sizes, …}] in the catalogue's order.
 */
export class Shop {
  items = new Map();
  products = [];
  categories = [];
  currency = defaultCurrency;
  #productOf = new Map();

  constructor(catalogue) {
    const groups = new Map();
    for (const entry of catalogue) {
      const currency = entry.currency || defaultCurrency;
      const item = { ...entry, currency, amount: parsePrice(entry.price, currency) };
      this.items.set(item.sku, item);
      let product = item.group ? groups.get(item.group) : undefined;
      if (!product) {
        product = this.#open(item);
        if (item.group) groups.set(item.group, product);
      }
      product.versions.push(item);
      this.#productOf.set(item.sku, product);
    }
    for (const product of this.products) {
      product.colours = unique(product.versions.map(({ colour }) => colour));
      product.sizes = unique(product.versions.map(({ size }) => size)).sort(bySize);
    }
    this.categories = unique(this.products.map(({ category }) => category));
    if (catalogue.length > 0) this.currency = this.items.values().next().value.currency;
  }

  #open(item) {
    const { sku, category, maker, picture, tint, colour } = item;
    const product = {
      id: sku,
      name: item.group || item.name || sku,
      category,
      maker,
      picture,
      tint,
      colour,
      versions: [],
    };
    this.products.push(product);
    return product;
  }

  /** product returns the product that a SKU is a version of, or undefined. */
  product(sku) {
    return this.#productOf.get(sku);
  }

  /** name returns the name of a SKU, also of one that the catalogue does not have. */
  name(sku) {
    return this.items.get(sku)?.name || sku;
  }
}

const unique = (values) => [...new Set(values.filter(Boolean))];

function bySize(a, b) {
  const [i, j] = [sizes.indexOf(a), sizes.indexOf(b)];
  if (i >= 0 && j >= 0) return i - j;
  return a.localeCompare(b, 'en', { numeric: true });
}

/** versionName names a version among those of its product: "Red, L". */
export function versionName({ colour, size, name }) {
  const text = [colour, size].filter(Boolean).join(', ');
  return text === '' ? name : text[0].toUpperCase() + text.slice(1);
}

/** choice says what a person has to choose first: "size", "colour", or null if there is nothing to choose. */
export function choice(product) {
  if (product.versions.length < 2) return null;
  return product.sizes.length > 1 ? 'size' : 'colour';
}

/**
 * pick returns the version that fits a changed choice best: the other property as it was,
 * if there is such a version, else the first version with the new property.
 */
export function pick(product, current, change) {
  const wanted = { colour: current?.colour, size: current?.size, ...change };
  const fits = (version, names) => names.every((name) => version[name] === wanted[name]);
  return (
    product.versions.find((version) => fits(version, ['colour', 'size'])) ??
    product.versions.find((version) => fits(version, Object.keys(change))) ??
    product.versions[0]
  );
}

/** priceRange returns the lowest amount of a product and whether others cost more. */
export function priceRange(product) {
  const amounts = product.versions.map(({ amount }) => amount).filter((amount) => amount !== null);
  if (amounts.length === 0) return null;
  const lowest = Math.min(...amounts);
  return {
    amount: lowest,
    currency: product.versions[0].currency,
    differ: amounts.some((amount) => amount !== lowest),
  };
}
