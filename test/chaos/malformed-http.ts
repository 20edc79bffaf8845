/** What no HTTP client sends: connections that carry something malformed, or something meant to be read in two ways. */
import type { SeededRandom } from "../helpers/seeded-random.ts";

/** Carried by every request that a malformed one tries to bring past the parser; none may ever be served. */
export const smuggledId = "smuggled";

export type Malformation = {
  readonly name: string;
  /** Written one after the other, each in a packet of its own where the kernel lets it. */
  readonly pieces: readonly Buffer[];
  /** What becomes of our side once all is written: left open until the server closes, FIN, or RST. */
  readonly ending: "wait" | "finish" | "reset";
  /** How many of its requests are right, come first, and must be answered as if nothing else had come. */
  readonly right: number;
  /**
   * Whether those may stay without an answer, because what follows them came before the answer could go out: then
   * closing is all that can be said.
   */
  readonly mayLoseRight: boolean;
  /** One for each right request, and one for what is wrong where that is no part of a request that has its answer. */
  readonly mostAnswers: number;
  /** Whether anything beyond the right ones may be a success: only of what is odd, but not wrong. */
  readonly mayBeServed: boolean;
};

type Facts = Partial<Omit<Malformation, "name" | "pieces">>;

function malformation(name: string, pieces: readonly (string | Buffer)[], facts: Facts = {}): Malformation {
  return {
    name,
    pieces: pieces.map((piece) => (typeof piece === "string" ? Buffer.from(piece, "latin1") : piece)),
    ending: "finish",
    right: 0,
    mayLoseRight: false,
    mayBeServed: false,
    // One byte can make two requests of one.
    mostAnswers: (facts.right ?? 0) + (facts.mayBeServed ? 2 : 1),
    ...facts,
  };
}

const host = "Host: 127.0.0.1\r\n";
const json = "Content-Type: application/json\r\n";
const body = '{"username":"TR"}';

/** A request with an effect, such as an attacker would like to be taken for somebody else's. */
const smuggled = `GET /?username=smuggled HTTP/1.1\r\n${host}X-Request-Id: ${smuggledId}\r\n\r\n`;

/** @param id comes back as `X-Request-Id` of the answer */
export function rightRequest(id: string): string {
  return `GET /healthz HTTP/1.1\r\n${host}X-Request-Id: ${id}\r\n\r\n`;
}

function post(headers: string, content: string): string {
  return `POST /sessions HTTP/1.1\r\n${host}${json}${headers}\r\n${content}`;
}

function get(headers: string): string {
  return `GET /healthz HTTP/1.1\r\n${host}${headers}\r\n`;
}

function hex(number: number): string {
  return number.toString(16);
}

function randomBytes(random: SeededRandom, most: number): Buffer {
  return Buffer.from(Array.from({ length: random.between(1, most) }, () => random.between(0, 255)));
}

/** The first bytes of TLS 1.2, as a client sends them that was told `https`. */
function clientHello(random: SeededRandom): Buffer {
  const hello = randomBytes(random, 500);
  return Buffer.concat([Buffer.from([0x16, 3, 1, hello.length >> 8, hello.length & 255, 1, 0]), hello]);
}

type Maker = (random: SeededRandom, id: string) => Malformation;

const framings: readonly (readonly [name: string, headers: string, content: string])[] = [
  ["both lengths", `Content-Length: 5\r\nTransfer-Encoding: chunked\r\n`, `0\r\n\r\n${smuggled}`],
  ["both lengths, the other way round", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", `0\r\n\r\n${smuggled}`],
  ["two lengths", `Content-Length: 0\r\nContent-Length: ${smuggled.length}\r\n`, smuggled],
  ["the same length twice", `Content-Length: ${body.length}\r\nContent-Length: ${body.length}\r\n`, body + smuggled],
  ["a list of lengths", `Content-Length: ${body.length}, ${body.length}\r\n`, body + smuggled],
  ["a length with a sign", `Content-Length: +${body.length}\r\n`, body + smuggled],
  ["a negative length", "Content-Length: -1\r\n", smuggled],
  ["a length in hexadecimal", "Content-Length: 0x11\r\n", body + smuggled],
  ["a length beyond 64 bits", "Content-Length: 18446744073709551633\r\n", body + smuggled],
  ["a length with a space within", "Content-Length: 1 7\r\n", body + smuggled],
  ["an empty length", "Content-Length: \r\n", smuggled],
  ["a space before the colon of a length", `Content-Length : ${body.length}\r\n`, body + smuggled],
  ["a folded length", `Content-Length:\r\n ${body.length}\r\n`, body + smuggled],
  ["a folded encoding", "Transfer-Encoding:\r\n chunked\r\n", `0\r\n\r\n${smuggled}`],
  ["an encoding nobody knows", "Transfer-Encoding: xchunked\r\n", `0\r\n\r\n${smuggled}`],
  ["chunked twice", "Transfer-Encoding: chunked, chunked\r\n", `0\r\n\r\n${smuggled}`],
  ["two encodings", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", `0\r\n\r\n${smuggled}`],
  ["chunked not last", "Transfer-Encoding: chunked, gzip\r\n", `0\r\n\r\n${smuggled}`],
  ["an encoding with a space before the colon", "Transfer-Encoding : chunked\r\n", `0\r\n\r\n${smuggled}`],
  ["an encoding behind a vertical tab", "Transfer-Encoding: \x0bchunked\r\n", `0\r\n\r\n${smuggled}`],
  ["an encoding behind NUL", "Transfer-Encoding: \0chunked\r\n", `0\r\n\r\n${smuggled}`],
  ["an encoding in a line of its own by a bare CR", "X: a\rTransfer-Encoding: chunked\r\n", `0\r\n\r\n${smuggled}`],
  ["an encoding in a line of its own by a bare LF", "X: a\nTransfer-Encoding: chunked\r\n", `0\r\n\r\n${smuggled}`],
];

const chunkings: readonly (readonly [name: string, content: string])[] = [
  ["a size that is no number", `zz\r\n${body}\r\n0\r\n\r\n`],
  ["a negative size", `-11\r\n${body}\r\n0\r\n\r\n`],
  ["a size with 0x", `0x11\r\n${body}\r\n0\r\n\r\n`],
  ["a size beyond 64 bits", `${"f".repeat(17)}\r\n${body}\r\n0\r\n\r\n`],
  ["a size that is too small", `5\r\n${body}\r\n0\r\n\r\n`],
  ["a size with a space before it", ` 11\r\n${body}\r\n0\r\n\r\n`],
  ["an empty size", `\r\n${body}\r\n0\r\n\r\n`],
  ["lines that end with LF", `11\n${body}\n0\n\n`],
  ["a size line that ends with CR", `11\r${body}\r\n0\r\n\r\n`],
  ["an extension with NUL", `11;a=\0\r\n${body}\r\n0\r\n\r\n`],
  ["an extension of 40 KB", `11;a=${"x".repeat(40_000)}\r\n${body}\r\n0\r\n\r\n`],
  ["an extension with a bare LF", `11;a\n${body}\r\n0\r\n\r\n`],
  ["trailers of 40 KB", `11\r\n${body}\r\n0\r\nX: ${"x".repeat(40_000)}\r\n\r\n`],
  ["a trailer that frames", `11\r\n${body}\r\n0\r\nContent-Length: 5\r\n\r\n`],
  ["a trailer that is none", `11\r\n${body}\r\n0\r\nx\0y\r\n\r\n`],
];

const headerLines: readonly (readonly [name: string, line: string])[] = [
  ["a header without a name", ": x\r\n"],
  ["a header without a colon", "X\r\n"],
  ["a space within a name", "X Y: 1\r\n"],
  ["a space before a colon", "X : 1\r\n"],
  ["NUL in a name", "X\0Y: 1\r\n"],
  ["NUL in a value", "X: a\0b\r\n"],
  ["a control character in a value", "X: a\x01b\r\n"],
  ["DEL in a value", "X: a\x7fb\r\n"],
  ["a bare CR in a value", "X: a\rb\r\n"],
  ["a bare LF in a value", "X: a\nY: b\r\n"],
  ["a folded header", "X: a\r\n b\r\n"],
  ["a first line that is folded", " X: a\r\n"],
  ["a byte beyond ASCII in a name", "X\xe9: 1\r\n"],
  ["a header of 20 KB", `X: ${"x".repeat(20_000)}\r\n`],
  ["a name of 20 KB", `${"x".repeat(20_000)}: x\r\n`],
  ["2,000 headers", "X: 1\r\n".repeat(2_000)],
  ["a second host", "Host: evil.example\r\n"],
];

const requestLines: readonly (readonly [name: string, line: string])[] = [
  ["no method", " /healthz HTTP/1.1"],
  ["a method nobody knows", "BREW /healthz HTTP/1.1"],
  ["a method in lower case", "get /healthz HTTP/1.1"],
  ["a method of 20 KB", `${"G".repeat(20_000)} /healthz HTTP/1.1`],
  ["a target of 20 KB", `GET /${"x".repeat(20_000)} HTTP/1.1`],
  ["a target with a space", "GET /health z HTTP/1.1"],
  ["a target with NUL", "GET /healthz\0 HTTP/1.1"],
  ["a target with a tab", "GET /healthz\t HTTP/1.1"],
  ["a target with a bare CR", "GET /healthz\rX: y HTTP/1.1"],
  ["a target beyond ASCII", "GET /h\xe9althz HTTP/1.1"],
  ["a target without a slash", "GET healthz HTTP/1.1"],
  ["an empty target", "GET  HTTP/1.1"],
  ["a version nobody knows", "GET /healthz HTTP/1.2"],
  ["a version of three", "GET /healthz HTTP/1.1.1"],
  ["another protocol", "GET /healthz SIP/2.0"],
  ["Icecast", "SOURCE /healthz ICE/1.0"],
  ["a response", "HTTP/1.1 200 OK"],
  ["SMTP", "EHLO 127.0.0.1"],
  ["a proxy's CONNECT", "CONNECT evil.example:443 HTTP/1.1"],
  ["PROXY protocol", "PROXY TCP4 1.2.3.4 1.2.3.4 1 1\r\nGET /healthz HTTP/1.1"],
];

const makers: readonly Maker[] = [
  (random) => {
    const [name, headers, content] = random.pick(framings);
    return malformation(`framing: ${name}`, [post(headers, content)]);
  },
  (random, id) => {
    const [name, headers, content] = random.pick(framings);
    return malformation(`framing behind a right request: ${name}`, [rightRequest(id), post(headers, content)], {
      right: 1,
      mayLoseRight: true,
    });
  },
  (random) => {
    const [name, content] = random.pick(chunkings);
    return malformation(`chunks: ${name}`, [post("Transfer-Encoding: chunked\r\n", content)]);
  },
  (random, id) => {
    const [name, content] = random.pick(chunkings);
    // Answered before its body comes, which then is faulty.
    const head = get(`X-Request-Id: ${id}\r\nTransfer-Encoding: chunked\r\n`);
    return malformation(`chunks nobody asked for: ${name}`, [head, content], {
      right: 1,
      mayLoseRight: true,
      mostAnswers: 1,
    });
  },
  (random) => {
    const [name, line] = random.pick(headerLines);
    return malformation(`header: ${name}`, [get(line)]);
  },
  (random) => {
    const [name, line] = random.pick(requestLines);
    return malformation(`request line: ${name}`, [`${line}\r\n${host}\r\n`]);
  },
  (random) => {
    // Node's parser reads these as HTTP/1.0; nothing about them can be taken in two ways.
    const line = random.pick(["GET /healthz RTSP/1.0", "GET /healthz"]);
    return malformation(`read as HTTP/1.0: ${line}`, [`${line}\r\n${host}\r\n`], { mayBeServed: true });
  },
  () => malformation("bare LF throughout", [get("").replaceAll("\r\n", "\n")]),
  () => malformation("bare CR throughout", [get("").replaceAll("\r\n", "\r")]),
  (random, id) => {
    const garbage = random.pick<string | Buffer>([
      "GARBAGE\r\n\r\n",
      "\0\0\0\0",
      randomBytes(random, 300),
      "{}\r\n\r\n",
    ]);
    return malformation("garbage behind right requests", [rightRequest(id) + rightRequest(id), garbage], {
      right: 2,
      mayLoseRight: true,
    });
  },
  (random) => malformation("random bytes", [randomBytes(random, 2_000)], { ending: random.pick(["finish", "reset"]) }),
  (random) => malformation("TLS", [clientHello(random)], { ending: random.pick(["finish", "wait"]) }),
  () =>
    malformation("the preface of HTTP/2", ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Buffer.alloc(9)], { ending: "wait" }),
  (random) => {
    const request = post(`Content-Length: ${body.length}\r\n`, body);
    const half = request.slice(0, random.between(0, request.length - 1));
    return malformation("half a request", [half], { ending: random.pick(["finish", "reset"]) });
  },
  (random, id) => {
    const request = rightRequest(id);
    const half = request.slice(0, random.between(1, request.length - 1));
    return malformation("half a request behind a right one", [request, half], {
      right: 1,
      mayLoseRight: true,
      ending: random.pick(["finish", "reset"]),
    });
  },
  (random) => {
    // One byte of a right request is another one, is missing, or comes twice.
    const request = Buffer.from(post(`Content-Length: ${body.length}\r\n`, body));
    const at = random.between(0, request.length - 1);
    const middle = random.pick([Buffer.from([random.between(0, 255)]), Buffer.alloc(0), request.subarray(at, at + 2)]);
    const changed = Buffer.concat([request.subarray(0, at), middle, request.subarray(at + 1)]);
    return malformation(`one byte changed at ${at}`, [changed], { mayBeServed: true });
  },
  (random, id) => {
    const request = rightRequest(id);
    const at = random.between(1, request.length - 1);
    return malformation(`a right request cut in two at ${at}`, [request.slice(0, at), request.slice(at)], { right: 1 });
  },
  (_random, id) => malformation("a right request byte by byte", [...rightRequest(id)], { right: 1 }),
  (random, id) => {
    const count = random.between(2, 20);
    return malformation(`${count} right requests at once`, [rightRequest(id).repeat(count)], { right: count });
  },
  (_random, id) => malformation("empty lines before a right request", [`\r\n\r\n${rightRequest(id)}`], { right: 1 }),
  (random) => {
    const size = random.between(20_000, 400_000);
    const content = `${hex(size)}\r\n${"x".repeat(size)}\r\n0\r\n\r\n${smuggled}`;
    return malformation("a large body, then a smuggled request", [
      post("Transfer-Encoding: chunked\r\nConnection: close\r\n", content),
    ]);
  },
  (random) => malformation("nothing", [], { ending: random.pick(["finish", "reset"]) }),
];

/** Each kind in its turn, its details by chance. @param id for the `X-Request-Id` of its right requests */
export function makeMalformation(index: number, random: SeededRandom, id: string): Malformation {
  const make = makers[index % makers.length];
  if (make === undefined) throw new Error("There are no malformations");
  return make(random, id);
}
