/** Letters as far as they tell things apart: without case, accents and spaces around them. */
export function folded(text: string): string {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().trim();
}
