/**
 * An answer may come in pieces: a turn that `continues` another goes on where that one's text ended. People and models see
 * all of them as one answer to one prompt.
 */
import type { Turn } from "../storage/storage.ts";

/** A turn with those that went on with its answer. */
export type JoinedTurn = {
  /** The whole: number, prompt and beginning of the first, text of all of them, model and end of the last. */
  readonly turn: Turn;
  /** The numbers of all of them, oldest first. */
  readonly pieces: readonly number[];
};

/**
 * Oldest first, as they were given. A piece whose beginning is not among the turns stands for itself.
 *
 * @param before what was joined of the turns before these; the last of it may go on in them
 */
export function joinContinuations(turns: readonly Turn[], before: readonly JoinedTurn[] = []): JoinedTurn[] {
  const joined = [...before];
  for (const turn of turns) {
    const last = joined.at(-1);
    if (last !== undefined && turn.continues !== null && last.pieces.includes(turn.continues)) {
      joined[joined.length - 1] = join(last, turn);
    } else {
      joined.push({ turn, pieces: [turn.turn] });
    }
  }
  return joined;
}

function join({ turn: first, pieces }: JoinedTurn, last: Turn): JoinedTurn {
  const { turn, prompt, createdAt, continues, replaces } = first;
  const answer = first.answer + last.answer;
  const tools = [...first.tools, ...last.tools];
  const sources = [...first.sources, ...last.sources];
  const whole = { turn, prompt, createdAt, continues, replaces, answer, tools, sources };
  return {
    turn: { ...last, ...whole, model: last.model ?? first.model },
    pieces: [...pieces, last.turn],
  };
}
