import { util } from '@aws-appsync/utils';

const maxVersion = 9007199254740991;
const maxQuantity = 999;

const isWhole = (n, least, most) => typeof n === 'number' && n % 1 === 0 && n >= least && n <= most;

// The key comes from the token alone, so nobody reads the cart of another. A guest has no
// token of the user pool: AppSync refuses the field, and this code refuses it again.
export function request(ctx) {
  const sub = ctx.identity?.sub;
  // The hub hashes other names, which no resolver can do. The sub of Cognito is a UUID.
  if (!sub || !util.matches('^[A-Za-z0-9._~-]{1,62}$', sub)) {
    util.unauthorized();
  }
  return { operation: 'GetItem', key: util.dynamodb.toMapValues({ cart: `u~${sub}` }), consistentRead: true };
}

export function response(ctx) {
  if (ctx.error) {
    util.error(ctx.error.message, ctx.error.type);
  }
  const row = ctx.result;
  if (!row) {
    return { version: 0, lines: [] };
  }
  const stored = row.lines ?? {};
  const isMap = util.typeOf(stored) === 'Map';
  const skus = isMap ? Object.keys(stored).sort() : []; // DynamoDB keeps no order
  if (!isMap || !isWhole(row.version, 1, maxVersion) || !isWhole(row.floor ?? 0, 0, maxVersion) ||
    !skus.every((sku) => isLine(stored[sku]))) {
    util.error('the cart cannot be read', 'Unreadable'); // an empty cart would be a lie
  }
  return {
    version: row.version,
    lines: skus.map((sku) => ({ sku, quantity: stored[sku].quantity ?? 0, version: stored[sku].version }))
      .filter((line) => line.quantity > 0), // others were removed
  };
}

// isLine reports whether the hub can read a line.
function isLine(line) {
  return util.typeOf(line) === 'Map' && isWhole(line.quantity ?? 0, 0, maxQuantity) &&
    isWhole(line.version, 1, maxVersion);
}
