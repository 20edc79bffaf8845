/** Markdown → a tree. HTML is no part of it: what looks like HTML is text. */
import MarkdownIt, { type Token } from "markdown-it";

export type Node = {
  /** Of markdown-it, without `_open`. */
  readonly type: string;
  readonly token: Token;
  readonly children: readonly Node[];
};

const markdown = new MarkdownIt({ html: false, linkify: true });
// Names of files are no addresses: `main.py` must not become a link to somebody's server.
markdown.linkify.set({ fuzzyLink: false, fuzzyEmail: false });
markdown.validateLink = (url) => /^(?:https?:\/\/|mailto:)/i.test(url.trim());

/** More than anything that a person reads as one block; what is longer is shown as it is. UTF-16 code units. */
const maxLength = 100_000;

/** Undefined for a text that is better shown as it is. */
export function parse(text: string): readonly Node[] | undefined {
  if (text.length > maxLength) return undefined;
  return treeOf(markdown.parse(text, {}));
}

/** markdown-it gives a flat list in which pairs of tokens stand for what is between them. */
function treeOf(tokens: readonly Token[]): readonly Node[] {
  const root: Node[] = [];
  const open: Node[][] = [root];
  for (const token of tokens) {
    const siblings = open.at(-1) ?? root;
    if (token.nesting < 0) {
      open.pop();
    } else if (token.nesting > 0) {
      const children: Node[] = [];
      siblings.push({ type: token.type.replace(/_open$/, ""), token, children });
      open.push(children);
    } else if (token.type === "inline") {
      siblings.push(...treeOf(token.children ?? []));
    } else {
      siblings.push({ type: token.type, token, children: [] });
    }
  }
  return root;
}

/** All text of a tree. */
export function plainText(nodes: readonly Node[]): string {
  return nodes.map(({ token, children }) => (children.length > 0 ? plainText(children) : token.content)).join("");
}
