/** The cheapest honest thing between a client and a provider: a proxy that looks at nothing and stores nothing. */
import http from "node:http";
import type { AddressInfo } from "node:net";

const [, , origin = "", port = "0"] = process.argv;
const provider = new URL(origin);
const agent = new http.Agent({ keepAlive: true });

const server = http.createServer((request, response) => {
  const { method, url: path, headers } = request;
  const upstream = http.request({ hostname: provider.hostname, port: provider.port, method, path, headers, agent });
  upstream.on("response", (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  upstream.on("error", () => response.destroy());
  request.pipe(upstream);
});

server.listen(Number(port), "127.0.0.1", () => {
  console.log(JSON.stringify({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }));
});
process.once("SIGTERM", () => process.exit(0));
