import { runtime, util } from '@aws-appsync/utils';

const maxVersion = 9007199254740991;
const maxAvailable = 1000000000;

const isWhole = (n, least, most) => typeof n === 'number' && n % 1 === 0 && n >= least && n <= most;

export function request(ctx) {
  const { skus } = ctx.args;
  if (skus.length < 1 || skus.length > 100) {
    util.error('ask for 1 to 100 SKUs', 'BadRequest');
  }
  // For a key that occurs twice or is empty, DynamoDB refuses them all.
  const once = skus.filter((sku, i) => isName(sku) && skus.indexOf(sku) === i);
  if (once.length === 0) {
    runtime.earlyReturn(skus.map(() => null));
  }
  const keys = once.map((sku) => util.dynamodb.toMapValues({ sku }));
  return { operation: 'BatchGetItem', tables: { [ctx.env.INVENTORY_TABLE]: { keys } } };
}

export function response(ctx) {
  if (ctx.error) {
    util.error(ctx.error.message, ctx.error.type);
  }
  const table = ctx.env.INVENTORY_TABLE;
  const unread = ctx.result.unprocessedKeys?.[table] ?? [];
  if (unread.length > 0) {
    util.error('try again', 'Busy'); // or a SKU would seem not to exist
  }
  const badges = {};
  for (const row of ctx.result.data[table]) {
    if (row && isReadable(row)) {
      badges[`sku:${row.sku}`] = badge(row);
    }
  }
  return ctx.args.skus.map((sku) => badges[`sku:${sku}`] ?? null);
}

// isName reports whether the hub takes a text as a SKU: 1 to 128 bytes that are printable, and
// spaces inside. In base64, 128 bytes are 171 characters and one =.
function isName(sku) {
  return sku === sku.trim() && util.matches('^[\\p{L}\\p{M}\\p{N}\\p{P}\\p{S} ]+$', sku) &&
    util.base64Encode(sku).replaceAll('=', '').length <= 171;
}

// isReadable reports whether a row has what the hub needs, see "Your own tables" in
// docs/deploy.md.
function isReadable(row) {
  const { deleted } = row;
  const isFlag = deleted === undefined || deleted === null || typeof deleted === 'boolean';
  const needsStock = deleted !== true && row.tracked !== false;
  return isFlag && isWhole(row.version, 1, maxVersion) &&
    (!needsStock || isWhole(row.available, -maxAvailable, maxAvailable));
}

// badge is the public state of an item. It has the exact quantity only if few are left.
function badge(row) {
  const { sku, version, available } = row;
  const lowAt = isWhole(row.lowAt, 0, maxAvailable) ? row.lowAt : 5;
  if (row.deleted === true) {
    return { sku, version, state: 'out' };
  }
  if (row.tracked === false || available > lowAt && available > 0) {
    return { sku, version, state: 'in' };
  }
  if (available > 0) {
    return { sku, version, state: 'low', quantity: available };
  }
  if (row.backorder === true) {
    return { sku, version, state: 'back', until: day(row.backAt) };
  }
  return { sku, version, state: 'out' };
}

// day returns the date of a time, or null.
function day(text) {
  const date = typeof text === 'string' ? text.split('T')[0] : '';
  if (!util.matches('^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$', date)) {
    return null;
  }
  const monthDay = date.slice(5);
  const isShort = ['02-30', '02-31', '04-31', '06-31', '09-31', '11-31'].indexOf(monthDay) >= 0;
  return isShort || monthDay === '02-29' && !isLeap(date.slice(0, 4)) ? null : date;
}

// isLeap reports whether a year of four digits has a 29th of February.
function isLeap(year) {
  const inCentury = year.slice(2);
  const four = inCentury === '00' ? year.slice(0, 2) : inCentury;
  return util.matches('^([02468][048]|[13579][26])$', four);
}
