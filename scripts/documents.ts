/** The documents that are made from tables in the code, so that they cannot fall behind it. */
import { STATUS_CODES } from "node:http";
import { groups, type Variable } from "../src/config/variable.ts";
import { type VariableName, variableNames, variables } from "../src/config/variables.ts";
import { configErrorExitCode } from "../src/config.ts";
import { type ProblemCode, problemKinds } from "../src/protocol/problems.ts";

/** Path in the repository → content. */
export function generatedDocuments(): ReadonlyMap<string, string> {
  return new Map([
    ["docs/configuration.md", configurationDocument()],
    ["docs/errors.md", errorsDocument()],
  ]);
}

const generated = "<!-- Made by `npm run docs` from";

function configurationDocument(): string {
  const introduction = `${generated} src/config/variables.ts. -->
# Configuration

The service is configured by environment variables, or by a \`.env\` file in the working directory; if both set a variable,
the environment wins. \`.env.example\` is a start. If you set none of them, the built-in demo model answers on
<http://127.0.0.1:8000>, and everything is kept in \`./data\`.

- A variable that is set but empty counts as unset.
- Matching quotes around a value are stripped, because \`docker run --env-file\` keeps them.
- Times are in seconds and may have a fraction (\`0.5\`), unless the name ends in \`_MS\`.
- If variables are wrong, the service names all of them at once and exits with code ${configErrorExitCode}. The messages never show a
  key or a URL, only that it is set.
- Unknown variables are ignored. If one looks like a misspelt variable of this list, the log says so.
`;
  const sections = Object.entries(groups).map(([group, title]) => {
    const rows = variableNames.filter((name) => variables[name].group === group).map(variableRow);
    return `\n## ${title}\n\n| Variable | Default | |\n|---|---|---|\n${rows.join("\n")}\n`;
  });
  return introduction + sections.join("");
}

function variableRow(name: VariableName): string {
  const variable: Variable<unknown> = variables[name];
  const value = variable.default === undefined ? "–" : `\`${variable.default}\``;
  return `| \`${name}\` | ${value} | ${variable.description.replaceAll("|", "\\|")} |`;
}

function errorsDocument(): string {
  const introduction = `${generated} src/protocol/problems.ts. -->
# Errors

Every answer that is not a success is \`application/problem+json\` (RFC 9457): \`type\`, \`title\`, \`status\`, \`detail\`,
\`code\`, \`request_id\` and \`retryable\`, with \`errors\` for fields that are wrong and \`Retry-After\` where waiting helps.
\`code\` is stable, for programs; \`detail\` is a sentence for people and may change.

Once a stream has begun, no status can be sent any more. The same codes then come in an \`error\` event, followed by
\`end\`; only after \`session_deleted\` and \`auth_expired\` nothing follows.

*Retryable* means that the same request can succeed later without being changed.
`;
  const byStatus = Object.groupBy(Object.keys(problemKinds) as ProblemCode[], (code) => problemKinds[code].status);
  const sections = Object.entries(byStatus).map(([status, codes = []]) => {
    return `\n## ${status} ${STATUS_CODES[status] ?? ""}\n${codes.map(problemSection).join("")}`;
  });
  return introduction + sections.join("");
}

function problemSection(code: ProblemCode): string {
  const { title, retryable, help } = problemKinds[code];
  return `\n### ${code}\n\n**${title}.** ${retryable ? "Retryable." : "Not retryable."} ${help}\n`;
}
