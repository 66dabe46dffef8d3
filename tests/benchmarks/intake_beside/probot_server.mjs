// The framework beside us, as its documentation says to run it: the signature is checked, a handler is called, nothing
// is stored. `node probot_server.mjs PORT SECRET KEYFILE`, with probot in node_modules of the working folder.
import { createServer } from "node:http";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [port, secret, keyFile] = process.argv.slice(2);
const find = createRequire(process.cwd() + "/here.js");
const { createNodeMiddleware, createProbot } = await import(pathToFileURL(find.resolve("probot")));
let handled = 0;
const app = (probot) => probot.on("pull_request.opened", async () => { handled += 1; });
const probot = createProbot({
  overrides: { appId: 1, privateKey: readFileSync(keyFile, "utf8"), secret, logLevel: "fatal" },
});
const middleware = await createNodeMiddleware(app, { probot, webhooksPath: "/webhooks" });
createServer((request, response) => {
  if (request.method === "GET") return response.end(String(handled));
  middleware(request, response);
}).listen(Number(port), "127.0.0.1");
