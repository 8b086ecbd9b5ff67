// Runs handlers behind Lambda's Invoke API, for localhub -template … -function NAME=http://127.0.0.1:PORT:
//
//   node invoke.mjs PORT NAME=FILE:EXPORT …
//
// for example node invoke.mjs 9001 OnConnectFunction=chat/onconnect/app.mjs:handler. PORT 0 takes a free one; the
// line that tells it is the only one on standard output.
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

// Handlers that post to the API's own address in AWS reach the one of localhub. The name stays, and with it the
// certificate that is wanted.
const desk = new URL(process.env.AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI ?? "http://127.0.0.1:8787");
const { createConnection } = Agent.prototype;
Agent.prototype.createConnection = function (options, ...rest) {
  const inAWS = /^\w+\.execute-api\.[\w-]+\.amazonaws\.com$/.test(options.host);
  return createConnection.call(this, inAWS ? { ...options, host: desk.hostname, port: desk.port } : options, ...rest);
};

async function invoke(name, event) {
  const handler = handlers.get(name);
  const context = { functionName: name, awsRequestId: crypto.randomUUID() };
  if (handler.length < 3) return handler(event, context);
  return new Promise((done, fail) => handler(event, context, (e, answer) => (e ? fail(e) : done(answer))));
}

const server = createServer(async (request, response) => {
  const name = request.url.match(/^\/2015-03-31\/functions\/(\w+)\/invocations$/)?.[1];
  if (request.method !== "POST" || !handlers.has(name)) {
    response.writeHead(404).end();
    return;
  }
  let body = "";
  for await (const piece of request.setEncoding("utf8")) body += piece;
  let answer, headers = { "Content-Type": "application/json" };
  try {
    answer = (await invoke(name, JSON.parse(body))) ?? null;
  } catch (e) {
    console.error(name, e);
    answer = { errorType: e?.name ?? "Error", errorMessage: String(e?.message ?? e) };
    headers["X-Amz-Function-Error"] = "Unhandled";
  }
  response.writeHead(200, headers).end(JSON.stringify(answer));
});
server.listen(Number(port), "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}`));
