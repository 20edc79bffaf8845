/** The demo model's longer texts. */

/** Long enough to watch, to stop, to reload the page in the middle of. */
export function story(username: string): string {
  return [
    `Once upon a time there was a small server named Demo, and ${username} was the first person who ever spoke to it.`,
    "Demo lived in a quiet rack at the end of a long corridor. Other servers had models with billions of parameters, and when they talked, whole libraries seemed to talk with them. Demo had four sentences and a good memory. “That will have to do,” it said, and listened.",
    "One day a storm cut the line in the middle of a word. On the far side somebody waited, looking at half a sentence. The big models shrugged; they had already forgotten what they were about to say. But Demo kept a log. It had written down every piece before it sent it, and it knew to the letter how far it had come.",
    `“Where were we?” asked ${username}, when the line was back.`,
    "“At position one thousand and twenty-four,” said Demo, and went on from there: not a word twice, not a word lost. The corridor was silent for a while. Then, one after another, the big models came by and asked, a little embarrassed, how that was done.",
    "“You write it down first,” said Demo, “and then you say it.” And because it was a good answer, it was the last one of the day.",
  ].join("\n\n");
}

export const markdownSample = `## What this page can show

Some **bold** and some *slanted* words, \`code\` within a line, and a [link](https://commonmark.org).

| Station | Line | Minutes |
|---|:-:|--:|
| Harbour | A | 4 |
| Old Town | A, C | 11 |
| Observatory | C | 23 |

\`\`\`python
def greet(name: str) -> str:
    return f"Hello, {name}!"

print(greet("world"))
\`\`\`

1. First this,
2. then that:
   - with a detail,
   - and another one.

> Whoever quotes, streams well.
`;
