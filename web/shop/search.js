// Search in names, makers, categories and SKUs, while a person types.

/** plain returns text without case and accents. */
const plain = (text) =>
  text
    .normalize('NFD')
    .replace(/\p{Mn}/gu, '')
    .toLowerCase();

/** textOf returns all that a product can be found by. */
const textOf = (product) =>
  plain(
    [product.name, product.maker, product.category, ...product.versions.flatMap(({ sku, name }) => [sku, name])]
      .filter(Boolean)
      .join('\n'),
  );

/** find returns the products of a category ("": all) that have every word of a text. */
export function find(products, { category = '', text = '' }) {
  const parts = plain(text).split(/\s+/).filter(Boolean);
  return products.filter((product) => {
    if (category !== '' && product.category !== category) return false;
    const all = parts.length > 0 ? textOf(product) : '';
    return parts.every((part) => all.includes(part));
  });
}
