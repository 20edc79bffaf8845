/** Which methods a path has: for `Allow`, and to tell a wrong method (405) from a path that names nothing (404). */

type AnyRoute = {
  readonly method: string | readonly string[];
  /** In Fastify's notation. */
  readonly url: string;
};

export class AllowedMethods {
  readonly #routes: { readonly pattern: RegExp; readonly route: AnyRoute }[] = [];

  /** The route's methods are read when they are asked for, as plugins may still add to them. */
  add(route: AnyRoute): void {
    this.#routes.push({ pattern: patternOf(route.url), route });
  }

  /** The methods of a path, in the notation of `Allow`; undefined for a path that no route has. */
  of(path: string): string | undefined {
    const methods = this.#routes.flatMap(({ pattern, route }) => (pattern.test(path) ? route.method : []));
    return methods.length === 0 ? undefined : [...new Set([...methods, "OPTIONS"])].sort().join(", ");
  }
}

function patternOf(url: string): RegExp {
  const segments = url.split("/").map((segment) => {
    if (segment === "*") return ".*";
    return segment.startsWith(":") ? "[^/]*" : RegExp.escape(segment);
  });
  return new RegExp(`^${segments.join("/")}$`);
}
