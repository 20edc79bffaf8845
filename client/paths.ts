/** Of a turn, or without one of whichever is newest or runs. */
export function turnPath(sessionId: string, turn: number | undefined): string {
  const path = `/chat/${encodeURIComponent(sessionId)}`;
  return turn === undefined ? path : `${path}/${turn}`;
}

export function sessionPath(sessionId: string): string {
  return `/sessions/${encodeURIComponent(sessionId)}`;
}

/** With its question mark; nothing where no parameter has a value. */
export function queryOf(parameters: Readonly<Record<string, string | number | undefined>>): string {
  const pairs = Object.entries(parameters).flatMap(([name, value]) =>
    value === undefined ? [] : `${name}=${encodeURIComponent(value)}`,
  );
  return pairs.length === 0 ? "" : `?${pairs.join("&")}`;
}
