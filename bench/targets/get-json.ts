import http from "node:http";

/** @throws Error for any status but 200 and 201 */
export function getJson(url: string, agent: http.Agent): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const request = http.get(url, { agent }, (response) => {
      const pieces: Buffer[] = [];
      response.on("data", (piece: Buffer) => pieces.push(piece));
      response.on("error", reject);
      response.on("end", () => {
        const body = Buffer.concat(pieces).toString("utf8");
        if (response.statusCode === 200) resolve(JSON.parse(body));
        else reject(new Error(`${url} answered ${response.statusCode}: ${body.slice(0, 500)}`));
      });
    });
    request.on("error", reject);
  });
}
