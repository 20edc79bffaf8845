/** The service's own OpenAPI document as a judge of its answers. */
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";

type JsonSchema = Readonly<Record<string, unknown>>;

export type Parameter = {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly required?: boolean;
  readonly schema: JsonSchema;
};

type Content = Readonly<Record<string, { readonly schema: JsonSchema }>>;

export type ResponseDescription = {
  readonly description: string;
  /** By their names in lower case. */
  readonly headers?: Readonly<Record<string, { readonly required?: boolean; readonly schema: JsonSchema }>>;
  readonly content?: Content;
};

export type Operation = {
  readonly operationId: string;
  readonly method: string;
  /** As in the document: `/chat/{session_id}`. */
  readonly path: string;
  readonly parameters: readonly Parameter[];
  readonly bodySchema: JsonSchema | undefined;
  /** Each is enough: the scopes that a credential needs, by the name of its kind. One of nothing needs none; without any, none is read. */
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly needsToken: boolean;
  readonly responses: Readonly<Record<string, ResponseDescription>>;
};

type OperationObject = {
  readonly operationId: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Content };
  readonly security?: Operation["security"];
  readonly responses: Readonly<Record<string, ResponseDescription>>;
};

export type Document = {
  readonly paths: Readonly<Record<string, Readonly<Record<string, OperationObject>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, JsonSchema>> };
};

export class ApiDescription {
  readonly operations: readonly Operation[];
  readonly #ajv = new Ajv2020({ strict: false, formats: { date: isDate, "date-time": isDateTime } });
  readonly #validators = new Map<JsonSchema, ValidateFunction>();
  readonly #schemas: Readonly<Record<string, JsonSchema>>;

  constructor(document: Document) {
    this.#schemas = document.components.schemas;
    this.#ajv.addSchema({ components: document.components }, "openapi");
    this.operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({
        operationId: operation.operationId,
        method: method.toUpperCase(),
        path,
        parameters: operation.parameters ?? [],
        bodySchema: this.#resolved(operation.requestBody?.content["application/json"]?.schema),
        security: operation.security ?? [],
        needsToken: everyWayTakesAToken(operation.security),
        responses: operation.responses,
      })),
    );
  }

  /** The operations whose path this is, whatever their method. */
  ofPath(path: string): readonly Operation[] {
    return this.operations.filter((operation) => patternOf(operation.path).test(path));
  }

  /** What is wrong with a value by a schema of the document; undefined where nothing is. */
  faults(schema: JsonSchema, value: unknown): string | undefined {
    let validate = this.#validators.get(schema);
    if (validate === undefined) {
      validate = this.#ajv.compile(withWholeReferences(schema));
      this.#validators.set(schema, validate);
    }
    return validate(value) ? undefined : this.#ajv.errorsText(validate.errors);
  }

  /** A schema of `components`. @throws Error where there is none of that name */
  schema(name: string): JsonSchema {
    const schema = this.#schemas[name];
    if (schema === undefined) throw new Error(`The document has no schema ${name}`);
    return schema;
  }

  #resolved(schema: JsonSchema | undefined): JsonSchema | undefined {
    const reference = schema?.["$ref"];
    return typeof reference === "string" ? this.schema(reference.slice(reference.lastIndexOf("/") + 1)) : schema;
  }
}

/** Every way in takes a token; where there is one of nothing, a token is only read. */
function everyWayTakesAToken(security: OperationObject["security"] = []): boolean {
  return security.length > 0 && security.every((way) => Object.keys(way).length > 0);
}

function patternOf(path: string): RegExp {
  const segments = path.split("/").map((segment) => (segment.startsWith("{") ? "[^/]*" : RegExp.escape(segment)));
  return new RegExp(`^${segments.join("/")}$`);
}

/** `#/components/…` is meant from the document's root, not from where a schema of it stands. */
function withWholeReferences(schema: JsonSchema): JsonSchema {
  return JSON.parse(JSON.stringify(schema), (key, value) =>
    key === "$ref" && typeof value === "string" && value.startsWith("#") ? `openapi${value}` : value,
  );
}

function isDate(text: string): boolean {
  return /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text));
}

function isDateTime(text: string): boolean {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(text) && !Number.isNaN(Date.parse(text));
}
