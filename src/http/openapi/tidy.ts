/** The OpenAPI document as the type provider makes it → one that people like to read and tools can import. */

type Document = { readonly components?: { readonly schemas?: Readonly<Record<string, unknown>> } };

const prefix = "#/components/schemas/";

export function tidyDocument<Described extends object>(document: Described): Described {
  return withoutNoise(withRequiredHeaders(withPlainNames(document))) as Described;
}

/** That an answer always has a header belongs beside the schema of its value, into which swagger puts it. */
function withRequiredHeaders(document: Document): Document {
  return mapValues(document, (_key, value) => {
    if (typeof value !== "object" || value === null || !("schema" in value)) return value;
    const { required, ...schema } = value.schema as Record<string, unknown>;
    return required === true ? { ...value, required, schema } : value;
  });
}

/**
 * The type provider names each schema twice, as `Ask` and `AskInput`, whether or not anything refers to it. What nothing
 * refers to is left out; what is only an input gets its plain name.
 */
function withPlainNames(document: Document): Document {
  const { schemas = {} } = document.components ?? {};
  const used = new Set<string>();
  const visit = (value: unknown): void => {
    for (const name of referencesIn(value)) {
      if (used.has(name)) continue;
      used.add(name);
      visit(schemas[name]);
    }
  };
  visit({ ...document, components: undefined });

  const plainName = (name: string) => {
    const plain = name.replace(/Input$/, "");
    return used.has(plain) ? name : plain;
  };
  const kept = Object.entries(schemas).flatMap(([name, schema]) => (used.has(name) ? [[plainName(name), schema]] : []));
  const renamed = { ...document, components: { ...document.components, schemas: Object.fromEntries(kept) } };
  return mapValues(renamed, (key, value) =>
    key === "$ref" && typeof value === "string" ? prefix + plainName(value.slice(prefix.length)) : value,
  );
}

function referencesIn(document: unknown): string[] {
  const references: string[] = [];
  mapValues(document, (key, value) => {
    if (key === "$ref" && typeof value === "string") references.push(value.slice(prefix.length));
    return value;
  });
  return references;
}

/**
 * Leaves out what says nothing: how dates are spelled beside `date-time`, the largest integer of JavaScript, and that
 * answers have no other fields, which clients must not count on.
 */
function withoutNoise(document: Document): Document {
  return mapValues(document, (_key, value) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
    const { pattern, maximum, additionalProperties, ...rest } = value as Record<string, unknown>;
    const isPlainString = rest["type"] === "string" && rest["format"] !== "date-time";
    return {
      ...rest,
      ...(pattern !== undefined && (isPlainString || typeof pattern !== "string") && { pattern }),
      ...(maximum !== undefined && maximum !== Number.MAX_SAFE_INTEGER && { maximum }),
      ...(additionalProperties !== undefined && additionalProperties !== false && { additionalProperties }),
    };
  });
}

/** Every value in a document, from the inside out, replaced by what `map` makes of it. */
function mapValues<Value>(document: Value, map: (key: string, value: unknown) => unknown): Value {
  return JSON.parse(JSON.stringify(document), map);
}
