// The smallest server on Node's ws, which argv[2] names.
import { createServer } from "node:http";
import { pathToFileURL } from "node:url";

const { WebSocketServer } = await import(pathToFileURL(process.argv[2]).href);
const conns = new Map();
const token = "0".repeat(390);
const limits =
  `{"message":32000,"topicsPerMessage":100,"topics":200,"lines":200,"quantity":999,` +
  `"messages":50,"skus":500,"idle":600}`;

const server = createServer((req, res) => {
  const parts = [];
  req.on("data", (part) => parts.push(part));
  req.on("end", () => {
    const text = Buffer.concat(parts);
    if (req.url === "/all") {
      for (const conn of conns.values()) conn.send(text, { binary: false });
    } else {
      conns.get(decodeURIComponent(req.url.slice("/v1/@connections/".length)))?.send(text, { binary: false });
    }
    res.end();
  });
});
new WebSocketServer({ server, path: "/v1" }).on("connection", (conn) => {
  const id = `L0SM${String(conns.size).padStart(11, "0")}=`;
  conns.set(id, conn);
  const answer =
    `{"type":"hello","connectionId":"${id}","epoch":"k3","user":"guest:9f2c41d07a55e8139f2c41d07a55e813",` +
    `"role":"guest","guestToken":"${token}","limits":${limits},"reconnectAfter":6900,"pingEvery":15}`;
  conn.on("message", () => conn.send(answer));
});
server.listen(0, "127.0.0.1", () => {
  const { port } = server.address();
  console.log(`socket ws://127.0.0.1:${port}/v1\nadmin http://127.0.0.1:${port}/`);
});
