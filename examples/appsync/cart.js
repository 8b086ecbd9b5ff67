import { util } from '@aws-appsync/utils';

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
  const lines = Object.entries(row.lines ?? {})
    .map(([sku, line]) => ({ sku, quantity: line.quantity ?? 0, version: line.version }))
    .filter((line) => line.quantity > 0); // others were removed
  return { version: row.version, lines };
}
