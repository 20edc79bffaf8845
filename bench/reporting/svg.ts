/** The little of SVG that the pictures need. White behind, so that they can be read on a dark page too. */

export const colours = ["#2563a8", "#7fb2e5", "#b3541e", "#e5a97f"] as const;

export type Place = {
  readonly x: number;
  readonly y: number;
  readonly anchor: "start" | "middle" | "end";
};

export function document(
  { width, height, title }: { readonly width: number; readonly height: number; readonly title: string },
  elements: readonly string[],
): string {
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="13" fill="#222">`,
    `<title>${escapeText(title)}</title>`,
    `<rect width="${width}" height="${height}" fill="white"/>`,
    `<text x="20" y="26" font-size="15" font-weight="bold">${escapeText(title)}</text>`,
    ...elements,
    "</svg>",
  ].join("\n")}\n`;
}

export function text(content: string, { x, y, anchor }: Place): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}">${escapeText(content)}</text>`;
}

function escapeText(content: string): string {
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
