/**
 * Loaded before anything else, in every thread: keeps what Node compiles, and what TypeScript becomes without its types,
 * for the next start, which takes about half as long then. JavaScript, because the first TypeScript file would load the
 * compiler. Where the directory cannot be written, nothing is kept.
 */
import { enableCompileCache } from "node:module";
import path from "node:path";

enableCompileCache(path.join(import.meta.dirname, "..", "node_modules", ".cache", "compiled"));
