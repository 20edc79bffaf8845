/** The routes of a server, from its OpenAPI document, so that a table over all of them cannot miss a new one. */
export type KnownRoute = {
  /** Upper case. */
  readonly method: string;
  /** In Fastify's notation. */
  readonly path: string;
};

export async function routesOf(baseUrl: string): Promise<readonly KnownRoute[]> {
  const document = (await (await fetch(`${baseUrl}/openapi.json`)).json()) as { paths: Record<string, object> };
  return Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => ({
      method: method.toUpperCase(),
      path: path.replace(/\{(\w+)\}/g, ":$1"),
    })),
  );
}
