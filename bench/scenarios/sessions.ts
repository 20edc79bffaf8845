/** Opening and reading sessions and their history, at several sizes of session and database. */
import { dialogueSizes, type FilledDatabase } from "../database/databases.ts";
import { promptText, replyText } from "../database/fill.ts";
import { type Request, timeRequests } from "../measuring/requests.ts";
import type { Percentiles } from "../measuring/round.ts";
import { startProvider } from "../provider/provider.ts";
import { lineChart } from "../reporting/line-chart.ts";
import type { Table } from "../reporting/section.ts";
import { kibibytes, milliseconds, number, times } from "../reporting/units.ts";
import { sessionIdOf } from "../targets/get.ts";
import { startPassThrough } from "../targets/proxy.ts";
import { startService } from "../targets/service.ts";
import type { Scenario } from "./scenario.ts";

export const databaseSizes = [1_000, 100_000] as const;

/** Turns of the longest page; each has two messages. */
const pageTurns = 100;

/** How often the short requests are made. */
const requestCount = 300;

const maxFlatness = 1.5;

const kinds = {
  open: "open a session",
  list: "list sessions, a page of 50",
  read: "read a session",
  page: "history, newest 200 messages",
  whole: "history, all of it",
} as const;

/** A kind of request at one size of session and database. */
type Case = Request & {
  readonly kind: keyof typeof kinds;
  /** In the session; undefined where none is involved. */
  readonly messages?: number;
  readonly sessions: number;
  /** Of the last answer. */
  bytes: number;
};

type Result = Case & Percentiles & { readonly passThrough: Percentiles };

export const sessions: Scenario = {
  name: "sessions",
  async run({ settings, databases }) {
    const filled = new Map<number, FilledDatabase>();
    for (const size of databaseSizes) filled.set(size, await databases.with(size));
    const provider = await startProvider();
    const passThrough = await startPassThrough(provider.origin);
    const services = [];
    const cases: Case[] = [];
    for (const [size, { file, sessionIds, token }] of filled) {
      const { cpuProfiles } = settings;
      const service = await startService({
        providerOrigin: provider.origin,
        cpuProfiles,
        storageUrl: `sqlite:${file}`,
      });
      services.push(service);
      cases.push(...casesOf(service.server.origin, size, sessionIds, token));
    }
    try {
      // Once beforehand, to learn how large the answers are that the pass-through is to carry.
      await timeRequests(cases, 1);
      const carried = cases.map(
        ({ bytes, every }): Request => ({
          url: `${passThrough.server.origin}/bytes/${bytes}`,
          every,
          check: expectBytes(bytes),
        }),
      );
      const all = await timeRequests([...cases, ...carried], requestCount);
      const results = cases.map((item, index): Result => {
        const [own, other] = [all[index], all[index + cases.length]];
        if (own === undefined || other === undefined) throw new Error("A request was not measured");
        return { ...item, ...own, passThrough: other };
      });
      return {
        title: "Sessions and history",
        about: `Two databases, filled through the storage room (bench/database/fill.ts): ${databaseSizes.map(number).join(" and ")} sessions of one turn each, all of one guest, and in both a session of ${dialogueSizes.map(number).join(", ")} messages. One request at a time, ${requestCount} of each kind (fewer of a long history), all kinds and sizes in turns. The pass-through carries an answer of the same size from the provider.`,
        tables: [tableOf(results)],
        bounds: [
          flatness("open a session, smallest to largest database", results, ({ kind }) => kind === "open"),
          flatness("list sessions, smallest to largest database", results, ({ kind }) => kind === "list"),
          flatness("read a session, smallest to largest", results, ({ kind }) => kind === "read"),
          flatness("history page of 200 messages, smallest to largest", results, isFullPage),
        ],
        remarks: [
          "A bound's figure is the slowest p50 of all sizes over the fastest. A session of 10 messages has no page of 200, so it is in the table only.",
        ],
        charts: [historyChart(results)],
        isDisturbed: false,
        costs: [],
      };
    } finally {
      await Promise.all([...services, passThrough].map((target) => target.stop()));
      await provider.close();
    }
  },
};

function casesOf(origin: string, sessions: number, sessionIds: readonly string[], token: string): Case[] {
  const open: Case = {
    kind: "open",
    sessions,
    url: `${origin}/?username=bench`,
    every: 1,
    bytes: 0,
    check(body) {
      sessionIdOf(body);
      open.bytes = body.length;
    },
  };
  const list: Case = {
    kind: "list",
    sessions,
    url: `${origin}/sessions?username=bench`,
    token,
    every: 1,
    bytes: 0,
    check(body) {
      const { sessions: listed } = JSON.parse(body.toString("utf8")) as { sessions: readonly unknown[] };
      if (listed.length !== 50) throw new Error(`A page of sessions has ${listed.length}`);
      list.bytes = body.length;
    },
  };
  const ofSessions = dialogueSizes.flatMap((messages, index): Case[] => {
    const id = sessionIds[index] ?? "";
    const turns = messages / 2;
    const base = { sessions, messages, bytes: 0 };
    const read: Case = {
      ...base,
      kind: "read",
      url: `${origin}/sessions/${id}`,
      every: 1,
      check(body) {
        const session = JSON.parse(body.toString("utf8")) as { turns: number };
        if (session.turns !== turns) throw new Error(`A session has ${session.turns} turns instead of ${turns}`);
        read.bytes = body.length;
      },
    };
    const page: Case = {
      ...base,
      kind: "page",
      url: `${origin}/chat_history/${id}?limit=${pageTurns}`,
      every: 1,
      check: expectDialogue(Math.max(1, turns - pageTurns + 1), turns, (bytes) => {
        page.bytes = bytes;
      }),
    };
    const whole: Case = {
      ...base,
      kind: "whole",
      url: `${origin}/chat_history/${id}`,
      every: Math.max(1, messages / 1_000),
      check: expectDialogue(1, turns, (bytes) => {
        whole.bytes = bytes;
      }),
    };
    return [read, page, whole];
  });
  return [open, list, ...ofSessions];
}

/** Every message is looked at the first time; from then on the answer must be the same, byte for byte. */
function expectDialogue(first: number, last: number, onBytes: (bytes: number) => void): Request["check"] {
  let known: Buffer | undefined;
  return (body) => {
    if (known?.equals(body)) return;
    const { message_history: messages } = JSON.parse(body.toString("utf8")) as {
      message_history: readonly { role: string; content: string; turn: number }[];
    };
    const found = messages.map(({ role, content, turn }) => [role, turn, content]);
    const expected = Array.from({ length: last - first + 1 }, (_, index) => first + index).flatMap((turn) => [
      ["user", turn, promptText(turn)],
      ["assistant", turn, replyText(turn)],
    ]);
    if (JSON.stringify(found) !== JSON.stringify(expected)) throw new Error("A history is not what was stored");
    known = body;
    onBytes(body.length);
  };
}

function expectBytes(bytes: number): Request["check"] {
  return (body) => {
    if (body.length !== bytes) throw new Error(`The pass-through brought ${body.length} bytes instead of ${bytes}`);
  };
}

function isFullPage({ kind, messages = 0 }: Case): boolean {
  return kind === "page" && messages >= 2 * pageTurns;
}

function flatness(what: string, results: readonly Result[], belongs: (item: Case) => boolean) {
  const values = results.filter(belongs).map(({ p50 }) => p50);
  return { what, measured: Math.max(...values) / Math.min(...values), atMost: maxFlatness, write: times };
}

function tableOf(results: readonly Result[]): Table {
  const sorted = Object.keys(kinds).flatMap((kind) => results.filter((result) => result.kind === kind));
  return {
    head: ["", "messages", "sessions", "answer", "p50", "p99", "pass-through p50", "ratio"],
    rows: sorted.map(({ kind, messages, sessions, bytes, p50, p99, passThrough }) => [
      kinds[kind],
      messages === undefined ? "–" : number(messages),
      number(sessions),
      kibibytes(bytes),
      milliseconds(p50),
      milliseconds(p99),
      milliseconds(passThrough.p50),
      times(p50 / passThrough.p50),
    ]),
  };
}

function historyChart(results: readonly Result[]) {
  const lines = (["page", "whole"] as const).flatMap((kind) =>
    databaseSizes.map((size) => ({
      label: `${kind === "page" ? "newest 200" : "all"}, ${number(size)} sessions`,
      points: results
        .filter((result) => result.kind === kind && result.sessions === size)
        .map(({ messages = 0, p50 }) => ({ x: messages, y: p50 })),
    })),
  );
  return {
    file: "history.svg",
    alternative: "Latency of a history page and of the whole history over the size of the session",
    svg: lineChart({
      title: "History: median latency over messages in the session",
      xLabel: "messages in the session",
      yLabel: "milliseconds",
      lines,
    }),
  };
}
