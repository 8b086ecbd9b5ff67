// Stands for @aws-appsync/utils, which has types only: AppSync has the code.

export const util = {
  error(message, type) { throw Object.assign(new Error(message), { type }) },
  unauthorized() { util.error('Not authorized', 'UnauthorizedException') },
  matches: (pattern, text) => new RegExp(pattern, 'u').test(text), // in AppSync it is Java's Pattern
  base64Encode: (text) => Buffer.from(text).toString('base64'),
  typeOf: (value) => value === null || value === undefined ? 'Null' : Array.isArray(value) ? 'List'
    : { string: 'String', number: 'Number', boolean: 'Boolean', object: 'Map' }[typeof value],
  dynamodb: {
    toMapValues: (values) => Object.fromEntries(Object.entries(values).map(([name, text]) => [name, { S: text }])),
  },
}

// Early carries what a resolver returned without a request.
export class Early {
  constructor(result) { this.result = result }
}

export const runtime = { earlyReturn(result) { throw new Early(result) } }
