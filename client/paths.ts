/** Of a turn, or without one of whichever is newest or runs. */
export function turnPath(sessionId: string, turn: number | undefined): string {
  const path = `/chat/${encodeURIComponent(sessionId)}`;
  return turn === undefined ? path : `${path}/${turn}`;
}
