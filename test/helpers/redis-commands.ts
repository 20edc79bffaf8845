/** Single commands to a Redis server, spoken by ourselves, so that a test of our client does not stand on that client. */
import { connect } from "node:net";

export type RedisReply = string | number | null | readonly RedisReply[];

/**
 * Sends a command over a connection of its own and gives the reply.
 *
 * @throws Error with the server's words when it refuses, or when the connection fails
 */
export async function sendRedisCommand(
  port: number,
  password: string | undefined,
  words: readonly string[],
): Promise<RedisReply> {
  const commands = password === undefined ? [words] : [["AUTH", password], words];
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  try {
    socket.write(commands.map(encode).join(""));
    let received = Buffer.alloc(0);
    let position = 0;
    let unanswered = commands.length;
    for await (const chunk of socket) {
      received = Buffer.concat([received, chunk as Buffer]);
      for (let reply = parse(received, position); reply !== undefined; reply = parse(received, position)) {
        if (reply.value instanceof Error) throw reply.value;
        position = reply.end;
        unanswered -= 1;
        if (unanswered === 0) return reply.value;
      }
    }
    throw new Error("The Redis server closed the connection before it had answered");
  } finally {
    socket.destroy();
  }
}

function encode(words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join("")}`;
}

type Parsed<Value> = { readonly value: Value; readonly end: number };

/** The reply that begins at a position (RESP2); undefined while some of it is still to come. */
function parse(bytes: Buffer, start: number): Parsed<RedisReply | Error> | undefined {
  const lineEnd = bytes.indexOf("\r\n", start);
  if (lineEnd === -1) return undefined;
  const kind = String.fromCharCode(bytes[start] ?? 0);
  const line = bytes.toString("utf8", start + 1, lineEnd);
  const end = lineEnd + 2;
  switch (kind) {
    case "+":
      return { value: line, end };
    case "-":
      return { value: new Error(line), end };
    case ":":
      return { value: Number(line), end };
    case "$": {
      const length = Number(line);
      if (length === -1) return { value: null, end };
      if (bytes.length < end + length + 2) return undefined;
      return { value: bytes.toString("utf8", end, end + length), end: end + length + 2 };
    }
    case "*":
      return Number(line) === -1 ? { value: null, end } : parseList(bytes, end, Number(line));
    default:
      throw new Error(`Not a reply of a Redis server: ${kind}${line}`);
  }
}

function parseList(bytes: Buffer, start: number, length: number): Parsed<RedisReply | Error> | undefined {
  const values: RedisReply[] = [];
  let end = start;
  while (values.length < length) {
    const item = parse(bytes, end);
    if (item === undefined || item.value instanceof Error) return item;
    values.push(item.value);
    end = item.end;
  }
  return { value: values, end };
}
