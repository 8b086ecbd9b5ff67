// Answers requests from standard input, one a line, as AppSync would: {"query":…,"identity":…}. Without an identity it
// is a guest with the API key. An answer has the requests to DynamoDB, too. The argument is what the template says:
// {"schema":FILE,"resolvers":{"Query.stock":{"code":FILE,"table":NAME}},"env":{…},"dynamodb":URL}

import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { Early } from '@aws-appsync/utils'
import { buildSchema, graphql, isObjectType } from 'graphql'

const setup = JSON.parse(process.argv[2])
const directives = ['aws_api_key', 'aws_cognito_user_pools']
const schema = buildSchema(directives.map((name) => `directive @${name} on OBJECT | FIELD_DEFINITION\n`).join('') +
  readFileSync(setup.schema, 'utf8'))

const resolvers = {}
for (const [name, { code, table }] of Object.entries(setup.resolvers)) {
  resolvers[name] = { table, ...await import(code) }
}

for (const type of Object.values(schema.getTypeMap())) {
  if (!isObjectType(type) || type.name.startsWith('__')) continue
  for (const field of Object.values(type.getFields())) {
    const resolver = resolvers[`${type.name}.${field.name}`]
    field.resolve = (parent, args, context) => {
      if (!modesOf(field, type).includes(context.identity ? 'aws_cognito_user_pools' : 'aws_api_key')) {
        throw new Error(`Not Authorized to access ${field.name} on type ${type.name}`)
      }
      return resolver ? resolve(resolver, args, context) : parent[field.name]
    }
  }
}

// modesOf returns who may read a field: what the field says, or else its type, or else the API's default.
function modesOf(field, type) {
  const named = [field, type].map(({ astNode }) => astNode.directives.map((d) => d.name.value)
    .filter((name) => directives.includes(name)))
  return [...named, ['aws_cognito_user_pools']].find((modes) => modes.length > 0)
}

async function resolve(resolver, args, { identity, requests }) {
  const ctx = { args, identity, env: setup.env }
  let request
  try {
    request = resolver.request(ctx)
  } catch (thrown) {
    if (thrown instanceof Early) return thrown.result
    throw thrown
  }
  requests.push(request)
  try {
    ctx.result = await send(request, resolver.table)
  } catch (error) {
    ctx.error = error
  }
  return resolver.response(ctx)
}

// send sends a request of a resolver to DynamoDB, and returns the result as a resolver gets it.
async function send({ operation, key, consistentRead, tables }, table) {
  if (operation === 'GetItem') {
    const { Item } = await call(operation, { TableName: table, Key: key, ConsistentRead: consistentRead })
    return Item ? values(Item) : null
  }
  const { keys } = tables[table]
  const { Responses } = await call(operation, { RequestItems: { [table]: { Keys: keys } } })
  const rows = Responses[table].map(values)
  return { data: { [table]: keys.map(({ sku }) => rows.find((row) => row.sku === sku.S) ?? null) } }
}

async function call(operation, body) {
  const response = await fetch(setup.dynamodb, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: {
      'Content-Type': 'application/x-amz-json-1.0',
      'X-Amz-Target': `DynamoDB_20120810.${operation}`,
      'X-Amz-Date': '20260101T000000Z', // the engine checks only the form of a signature
      Authorization: 'AWS4-HMAC-SHA256 Credential=local/20260101/eu-central-1/dynamodb/aws4_request, ' +
        'SignedHeaders=host;x-amz-date;x-amz-target, Signature=0',
    },
  })
  const answer = await response.json()
  if (!response.ok) throw Object.assign(new Error(answer.message ?? answer.Message), { type: answer.__type })
  return answer
}

const values = (item) => Object.fromEntries(Object.entries(item).map(([name, value]) => [name, valueOf(value)]))

function valueOf(value) {
  const [[type, text]] = Object.entries(value)
  switch (type) {
    case 'N': return Number(text)
    case 'NULL': return null
    case 'M': return values(text)
    case 'L': return text.map(valueOf)
    case 'NS': return text.map(Number)
    default: return text
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const { query, identity } = JSON.parse(line)
  const requests = []
  const { data, errors } = await graphql({ schema, source: query, contextValue: { identity, requests } })
  console.log(JSON.stringify({ data, errors: errors?.map((e) => e.message), requests }))
}
