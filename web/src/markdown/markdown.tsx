/** Markdown as elements: an allow-list of nodes, made by React from a tree. Whatever is not in it is shown as its text. */

import type { Token } from "markdown-it";
import { type JSX, memo, type ReactNode, useRef } from "react";
import { BlockSplitter, hasDefinitions } from "./blocks.ts";
import { CodeBlock } from "./code-block.tsx";
import { ExternalLink } from "./external-link.tsx";
import { type Node, parse, plainText } from "./parse.ts";

type MarkdownProps = {
  readonly text: string;
  /** False while the text still grows. */
  readonly isWhole: boolean;
};

/** A text that grows costs the drawing of its last block alone. */
export function Markdown({ text, isWhole }: MarkdownProps): JSX.Element {
  const splitter = useRef<BlockSplitter>(undefined);
  splitter.current ??= new BlockSplitter();
  // A text whose parts refer to each other is read as one when it is complete.
  const blocks = isWhole && hasDefinitions(text) ? [text] : splitter.current.split(text);
  return (
    <div className="markdown">
      {blocks.map((block, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a block has no other name, and never moves
        <Block key={index} text={block} isWhole={isWhole || index < blocks.length - 1} />
      ))}
    </div>
  );
}

const Block = memo(function Block({ text, isWhole }: MarkdownProps): ReactNode {
  const nodes = parse(text);
  return nodes === undefined ? <PlainText text={text} /> : elementsOf(nodes, isWhole);
});

export function PlainText({ text }: { readonly text: string }): JSX.Element {
  return (
    <p className="plain" dir="auto">
      {text}
    </p>
  );
}

function elementsOf(nodes: readonly Node[], isWhole: boolean): ReactNode[] {
  // biome-ignore lint/suspicious/noArrayIndexKey: a node has no other name
  return nodes.map((node, index) => <Element key={index} node={node} isWhole={isWhole} />);
}

function Element({ node, isWhole }: { readonly node: Node; readonly isWhole: boolean }): ReactNode {
  const { type, token, children } = node;
  const inside = () => elementsOf(children, isWhole);
  switch (type) {
    case "text":
      return token.content;
    case "softbreak":
      return "\n";
    case "hardbreak":
      return <br />;
    case "paragraph":
      // In a list without empty lines between its items.
      return token.hidden ? inside() : <p dir="auto">{inside()}</p>;
    case "heading":
      return <Heading level={Number(token.tag.slice(1))}>{inside()}</Heading>;
    case "strong":
      return <strong>{inside()}</strong>;
    case "em":
      return <em>{inside()}</em>;
    case "s":
      return <del>{inside()}</del>;
    case "code_inline":
      return <code dir="ltr">{token.content}</code>;
    case "fence":
    case "code_block":
      return <CodeBlock code={token.content} language={languageOf(token.info)} isWhole={isWhole} />;
    case "blockquote":
      return <blockquote>{inside()}</blockquote>;
    case "bullet_list":
      return <ul dir="auto">{inside()}</ul>;
    case "ordered_list":
      return (
        <ol dir="auto" start={Number(token.attrGet("start") ?? 1)}>
          {inside()}
        </ol>
      );
    case "list_item":
      return <ListItem node={node} isWhole={isWhole} />;
    case "hr":
      return <hr />;
    case "table":
      return <Table>{inside()}</Table>;
    case "thead":
      return <thead>{inside()}</thead>;
    case "tbody":
      return <tbody>{inside()}</tbody>;
    case "tr":
      return <tr>{inside()}</tr>;
    case "th":
      return <th className={alignmentOf(token)}>{inside()}</th>;
    case "td":
      return <td className={alignmentOf(token)}>{inside()}</td>;
    case "link":
      return (
        <ExternalLink url={attribute(token, "href")} label={plainText(children)}>
          {inside()}
        </ExternalLink>
      );
    case "image":
      return <ImageLink url={attribute(token, "src")} description={token.content} />;
    default:
      return children.length > 0 ? inside() : token.content;
  }
}

/** The page has headings of its own above those of an answer. */
function Heading({ level, children }: { readonly level: number; readonly children: ReactNode }): JSX.Element {
  const Tag = (["h3", "h4", "h5", "h6"] as const)[Math.min(level, 4) - 1] ?? "h6";
  return <Tag dir="auto">{children}</Tag>;
}

function ListItem({ node, isWhole }: { readonly node: Node; readonly isWhole: boolean }): JSX.Element {
  const task = taskOf(node);
  if (task === undefined) return <li>{elementsOf(node.children, isWhole)}</li>;
  const [first, ...rest] = node.children;
  return (
    <li className="task">
      <span role="img" aria-label={task.isDone ? "Done:" : "To do:"}>
        {task.isDone ? "☑" : "☐"}
      </span>{" "}
      {task.text}
      {elementsOf([...(first?.children.slice(1) ?? []), ...rest], isWhole)}
    </li>
  );
}

/** An item that begins with a box, ticked or not, as GitHub writes them. */
function taskOf({ children: [paragraph] }: Node): { readonly isDone: boolean; readonly text: string } | undefined {
  const text = paragraph?.type === "paragraph" ? paragraph.children[0] : undefined;
  const found = text?.type === "text" ? /^\[([ xX])\] (.*)$/s.exec(text.token.content) : null;
  return found === null ? undefined : { isDone: found[1] !== " ", text: found[2] ?? "" };
}

/** Wider than a page as a rule, so it scrolls by itself, by keyboard too. */
function Table({ children }: { readonly children: ReactNode }): JSX.Element {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable without a mouse
    <section className="table" tabIndex={0} aria-label="Table">
      <table>{children}</table>
    </section>
  );
}

/** Nothing is fetched for a text, as the address alone may tell somebody what was said. */
function ImageLink({ url, description }: { readonly url: string; readonly description: string }): JSX.Element {
  const label = description === "" ? "Image" : `Image: ${description}`;
  return (
    <ExternalLink url={url} label={label}>
      {label}
    </ExternalLink>
  );
}

function languageOf(info: string): string {
  return /^\S+/.exec(info)?.[0].toLowerCase() ?? "";
}

function attribute(token: Token, name: string): string {
  return String(token.attrGet(name) ?? "");
}

function alignmentOf(token: Token): string | undefined {
  return /^text-align:(left|center|right)$/.exec(attribute(token, "style"))?.[1];
}
