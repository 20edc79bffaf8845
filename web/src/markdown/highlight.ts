/** Code → pieces with the kind of each. A language is loaded when code in it is first seen. */
import type { LanguageFn } from "highlight.js";
import { createLowlight } from "lowlight";

/** A piece of code; what kind of word it is, as a class of the style sheet. */
export type Piece = { readonly text: string; readonly kind: string | undefined };

type Grammar = { readonly default: LanguageFn };

const grammars: Readonly<Record<string, () => Promise<Grammar>>> = {
  bash: () => import("highlight.js/lib/languages/bash"),
  c: () => import("highlight.js/lib/languages/c"),
  cpp: () => import("highlight.js/lib/languages/cpp"),
  csharp: () => import("highlight.js/lib/languages/csharp"),
  css: () => import("highlight.js/lib/languages/css"),
  diff: () => import("highlight.js/lib/languages/diff"),
  dockerfile: () => import("highlight.js/lib/languages/dockerfile"),
  go: () => import("highlight.js/lib/languages/go"),
  ini: () => import("highlight.js/lib/languages/ini"),
  java: () => import("highlight.js/lib/languages/java"),
  javascript: () => import("highlight.js/lib/languages/javascript"),
  json: () => import("highlight.js/lib/languages/json"),
  kotlin: () => import("highlight.js/lib/languages/kotlin"),
  php: () => import("highlight.js/lib/languages/php"),
  python: () => import("highlight.js/lib/languages/python"),
  ruby: () => import("highlight.js/lib/languages/ruby"),
  rust: () => import("highlight.js/lib/languages/rust"),
  sql: () => import("highlight.js/lib/languages/sql"),
  swift: () => import("highlight.js/lib/languages/swift"),
  typescript: () => import("highlight.js/lib/languages/typescript"),
  xml: () => import("highlight.js/lib/languages/xml"),
  yaml: () => import("highlight.js/lib/languages/yaml"),
};

/** Other names of the same languages. */
const aliases: Readonly<Record<string, string>> = {
  "c#": "csharp",
  "c++": "cpp",
  docker: "dockerfile",
  golang: "go",
  html: "xml",
  js: "javascript",
  jsx: "javascript",
  kt: "kotlin",
  py: "python",
  python3: "python",
  rb: "ruby",
  rs: "rust",
  sh: "bash",
  shell: "bash",
  svg: "xml",
  toml: "ini",
  ts: "typescript",
  tsx: "typescript",
  yml: "yaml",
  zsh: "bash",
};

const lowlight = createLowlight();

/** Undefined for a language that is not known here. */
export async function highlight(code: string, language: string): Promise<readonly Piece[] | undefined> {
  const name = Object.hasOwn(aliases, language) ? (aliases[language] ?? language) : language;
  const load = Object.hasOwn(grammars, name) ? grammars[name] : undefined;
  if (load === undefined) return undefined;
  if (!lowlight.registered(name)) lowlight.register(name, (await load()).default);
  return piecesOf(lowlight.highlight(name, code).children, undefined);
}

type Tree = ReturnType<typeof lowlight.highlight>["children"];

function piecesOf(nodes: Tree, kind: string | undefined): Piece[] {
  return nodes.flatMap((node): Piece[] => {
    if (node.type === "text") return [{ text: node.value, kind }];
    if (node.type !== "element") return [];
    const { className } = node.properties;
    return piecesOf(node.children, Array.isArray(className) ? className.join(" ") : kind);
  });
}
