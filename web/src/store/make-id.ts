/** 128 random bits as hex. `crypto.randomUUID` is missing in pages that did not come over https. */
export function makeId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
