// One request a line on stdin, one answer a line on stdout, both JSON; the
// AWS SDK for JavaScript in between. The argument is the folder with its
// node_modules.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const require = createRequire(`${process.argv[2]}/`);
const sdk = require("@aws-sdk/client-apigatewaymanagementapi");
const commands = {
  post: sdk.PostToConnectionCommand,
  get: sdk.GetConnectionCommand,
  delete: sdk.DeleteConnectionCommand,
};
const typed = ["ForbiddenException", "GoneException", "LimitExceededException", "PayloadTooLargeException"];

async function call({ op, endpoint, id, data }) {
  const client = new sdk.ApiGatewayManagementApiClient({
    endpoint,
    region: "eu-central-1",
    credentials: { accessKeyId: "AKID", secretAccessKey: "SECRET" },
    maxAttempts: 1,
  });
  const input = { ConnectionId: id };
  if (op === "post") input.Data = Buffer.from(data, "base64");
  try {
    const out = await client.send(new commands[op](input));
    if (op !== "get") return {};
    return {
      connectedAt: out.ConnectedAt.toISOString(),
      lastActiveAt: out.LastActiveAt.toISOString(),
      sourceIP: out.Identity.SourceIp,
      userAgent: out.Identity.UserAgent,
    };
  } catch (e) {
    const kind = typed.find((name) => e instanceof sdk[name]);
    if (!kind && typed.includes(e.name)) return { exception: `${e.name} without its type` };
    return { exception: kind ?? e.name, message: e.message };
  } finally {
    client.destroy();
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await call(JSON.parse(line))));
}
