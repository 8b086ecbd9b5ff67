// Stands for @aws-appsync/utils, which has types only: AppSync has the code.

export const util = {
  error(message, type) { throw Object.assign(new Error(message), { type }) },
  unauthorized() { util.error('Not authorized', 'UnauthorizedException') },
  matches: (pattern, text) => new RegExp(pattern).test(text),
  dynamodb: {
    toMapValues: (values) => Object.fromEntries(Object.entries(values).map(([name, text]) => [name, { S: text }])),
  },
}
