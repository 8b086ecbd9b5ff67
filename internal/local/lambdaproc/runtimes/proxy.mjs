// Makes https of Node.js use the proxy of HTTPS_PROXY, as the SDKs of other languages do: posts to the API's name in
// AWS come home through it. For a function that localhub does not start: NODE_OPTIONS=--import=file:///…/proxy.mjs
import { request } from "node:http";
import { Agent } from "node:https";

const proxy = process.env.HTTPS_PROXY && new URL(process.env.HTTPS_PROXY);
const direct = (process.env.NO_PROXY ?? "").split(",");
const { createConnection } = Agent.prototype;

// createConnection returns nothing for a host behind the proxy: it gives the socket to the callback.
if (proxy) Agent.prototype.createConnection = function (options, callback) {
  const { host, port } = options;
  const itself = this.options.proxyEnv; // NODE_USE_ENV_PROXY gives the agent a proxy of its own
  if (!host || itself || options.socket || direct.includes(host)) return createConnection.call(this, options, callback);
  const target = `${host}:${port}`;
  const connect = request({ host: proxy.hostname, port: proxy.port, method: "CONNECT", path: target, agent: false });
  connect.once("error", callback);
  connect.once("response", (response) => callback(new Error(`proxy: ${target}: ${response.statusCode}`)));
  connect.once("connect", (response, socket) => {
    if (response.statusCode === 200) return callback(null, createConnection.call(this, { ...options, socket }));
    socket.destroy();
    callback(new Error(`proxy: ${target}: ${response.statusCode}`));
  });
  connect.end();
};
