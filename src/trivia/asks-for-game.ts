/** Whether a prompt may be about the game, so that a model is to know of it. */
export function asksForGame(prompt: string): boolean {
  return /\btrivia\b|\bquiz/i.test(prompt);
}
