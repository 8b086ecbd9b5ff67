// Runs a function in Node.js as Lambda does: it takes events from the Runtime API and sends the responses back.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
import "./proxy.mjs";
import { request } from "node:http";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const { env } = process;
const base = `http://${env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime`;

// call sends a request on a connection of its own, so that nothing of it keeps the event loop busy afterwards.
function call(method, path, body) {
  return new Promise((done, fail) => {
    const req = request(base + path, { method, agent: false, headers: { "Content-Type": "application/json" } }, (res) => {
      let text = "";
      res.setEncoding("utf8").on("data", (piece) => (text += piece)).on("end", () => done({ headers: res.headers, text }));
    });
    req.on("error", fail).end(body);
  });
}

const describe = (e) => ({
  errorType: e?.name ?? typeof e,
  errorMessage: String(e?.message ?? e),
  trace: String(e?.stack ?? "").split("\n"),
});

// The endings of modules, in Lambda's order. Node.js itself, or a loader in NODE_OPTIONS, runs TypeScript.
const endings = [".js", ".mjs", ".cjs", ".ts"];

// load returns the handler that _HANDLER names: FOLDER/FILE.EXPORT, and EXPORT may have dots.
async function load() {
  const [, module, exported] = env._HANDLER.match(/^((?:.*\/)?[^./]+)\.(.+)$/) ?? [];
  if (!module) throw new Error(`the handler ${env._HANDLER} is not FILE.EXPORT`);
  const path = resolve(env.LAMBDA_TASK_ROOT, module);
  const ending = endings.find((e) => existsSync(path + e));
  if (!ending) throw new Error(`there is no ${module} with ${endings.join(", ")} in ${env.LAMBDA_TASK_ROOT}`);
  const loaded = await import(pathToFileURL(path + ending));
  const find = (from) => exported.split(".").reduce((value, name) => value?.[name], from);
  const handler = find(loaded) ?? find(loaded.default);
  if (typeof handler !== "function") throw new Error(`${module}${ending} exports no function ${exported}`);
  return handler;
}

// newContext returns a handler's second argument. finish ends the invocation, for the functions of old runtimes.
function newContext(headers, finish) {
  const deadline = Number(headers["lambda-runtime-deadline-ms"]);
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionName: env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
    invokedFunctionArn: headers["lambda-runtime-invoked-function-arn"],
    memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    awsRequestId: headers["lambda-runtime-aws-request-id"],
    logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
    clientContext: undefined,
    identity: undefined,
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
    done: (error, value) => finish(error, value),
    succeed: (value) => finish(null, value),
    fail: (error) => finish(error ?? new Error("failed")),
  };
}

// invoke runs the handler once. A promise counts when it settles, a callback when the event loop is empty too.
function invoke(handler, headers, event) {
  return new Promise((done, fail) => {
    let result; // of the callback
    const end = () => (result?.error ? fail(result.error) : done(result?.value));
    const context = newContext(headers, (error, value) => { result ??= { error, value }; end(); });
    idle = end;
    const callback = (error, value) => {
      result ??= { error, value };
      if (!context.callbackWaitsForEmptyEventLoop) end();
    };
    const returned = handler(event, context, callback);
    if (typeof returned?.then === "function") returned.then(done, fail);
  });
}

let idle; // what happens when the event loop is empty
process.on("beforeExit", () => idle?.());

let path = "/init"; // of what runs now

// fatal ends the process after an error that nobody caught, as Lambda does.
async function fatal(type, error) {
  console.error(error);
  await call("POST", `${path}/error`, JSON.stringify({ ...describe(error), errorType: type })).catch(() => {});
  process.exit(129);
}
process.on("uncaughtException", (e) => fatal(e?.name ?? "Error", e));
process.on("unhandledRejection", (e) => fatal("Runtime.UnhandledPromiseRejection", e));

const handler = await load().catch((e) => fatal(e?.name ?? "Error", e));
for (;;) {
  idle = undefined;
  const { headers, text } = await call("GET", "/invocation/next");
  path = `/invocation/${headers["lambda-runtime-aws-request-id"]}`;
  env._X_AMZN_TRACE_ID = headers["lambda-runtime-trace-id"];
  try {
    const value = await invoke(handler, headers, JSON.parse(text));
    await call("POST", `${path}/response`, JSON.stringify(value ?? null));
  } catch (error) {
    console.error(error);
    await call("POST", `${path}/error`, JSON.stringify(describe(error)));
  }
}
