// Serves handlers through Lambda's Invoke API, for localhub -template … -function NAME=http://127.0.0.1:PORT:
//
//   node invoke.mjs PORT NAME=FILE:EXPORT …
//
// For example: node invoke.mjs 9001 OnConnectFunction=chat/onconnect/app.mjs:handler. With PORT 0 the system
// chooses a free port. The only line on standard output is the URL.
import { createServer } from "node:http";
import { Agent } from "node:https";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [port, ...functions] = process.argv.slice(2);
const handlers = new Map();
for (const text of functions) {
  const [, name, file, exported] = text.match(/^(\w+)=(.+):(\w+)$/);
  const module = await import(pathToFileURL(resolve(file)));
  handlers.set(name, module[exported] ?? module.default[exported]);
}

// Handlers post to the API's address in AWS. Connect these requests to localhub. They keep their host name, so that
// the certificate is checked for it.
const localhub = new URL(process.env.AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI ?? "http://127.0.0.1:8787");
const { createConnection } = Agent.prototype;
Agent.prototype.createConnection = function (options, ...rest) {
  const inAWS = /^\w+\.execute-api\.[\w-]+\.amazonaws\.com$/.test(options.host);
  const address = inAWS ? { host: localhub.hostname, port: localhub.port } : {};
  return createConnection.call(this, { ...options, ...address }, ...rest);
};

async function invoke(name, event) {
  const handler = handlers.get(name);
  const context = { functionName: name, awsRequestId: crypto.randomUUID() };
  if (handler.length < 3) return handler(event, context);
  return new Promise((done, fail) => handler(event, context, (e, value) => (e ? fail(e) : done(value))));
}

const server = createServer(async (request, reply) => {
  const name = request.url.match(/^\/2015-03-31\/functions\/(\w+)\/invocations$/)?.[1];
  if (request.method !== "POST" || !handlers.has(name)) {
    reply.writeHead(404).end();
    return;
  }
  let body = "";
  for await (const piece of request.setEncoding("utf8")) body += piece;
  let response, headers = { "Content-Type": "application/json" };
  try {
    response = (await invoke(name, JSON.parse(body))) ?? null;
  } catch (e) {
    console.error(name, e);
    response = { errorType: e?.name ?? "Error", errorMessage: String(e?.message ?? e) };
    headers["X-Amz-Function-Error"] = "Unhandled";
  }
  reply.writeHead(200, headers).end(JSON.stringify(response));
});
server.listen(Number(port), "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}`));
