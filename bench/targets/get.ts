import http from "node:http";

/** @throws Error for any status but 200 */
export function get(url: string, agent: http.Agent, token?: string): Promise<Buffer> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return new Promise((resolve, reject) => {
    const request = http.get(url, { agent, headers }, (response) => {
      const pieces: Buffer[] = [];
      response.on("data", (piece: Buffer) => pieces.push(piece));
      response.on("error", reject);
      response.on("end", () => {
        const body = Buffer.concat(pieces);
        if (response.statusCode === 200) resolve(body);
        else reject(new Error(`${url} answered ${response.statusCode}: ${body.toString("utf8", 0, 500)}`));
      });
    });
    request.on("error", reject);
  });
}

/** The id in an answer of `GET /?username=…`. */
export function sessionIdOf(body: Buffer): string {
  const { session_id } = JSON.parse(body.toString("utf8")) as { session_id: unknown };
  if (typeof session_id !== "string") throw new Error(`No session was opened: ${body}`);
  return session_id;
}
