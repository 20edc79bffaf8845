/**
 * Builds the page into `dist/`, and compresses its files once for all who load them. `npm ci` does it (`prepare`), with
 * whatever Node there is, so this is JavaScript.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";

const directory = import.meta.dirname;

/** Undefined without the packages for development (`npm ci --omit=dev`), where there is nothing to build with. */
async function loadVite() {
  try {
    return await import("vite");
  } catch (error) {
    if (error.code === "ERR_MODULE_NOT_FOUND") return undefined;
    throw error;
  }
}

async function buildPage() {
  const vite = await loadVite();
  if (vite === undefined) return;
  // Tests that build it have another one, with which React is twice as large.
  process.env.NODE_ENV = "production";
  await vite.build({
    configFile: false,
    logLevel: "error",
    root: directory,
    build: {
      // The content security policy allows no `data:`.
      assetsInlineLimit: 0,
      // The page is loaded by browsers that know `modulepreload`, and by others a little later.
      modulePreload: { polyfill: false },
      reportCompressedSize: false,
    },
  });
  await compress(path.join(directory, "dist"));
}

/** Beside each file that gets smaller by it, its forms for browsers that take them. */
async function compress(dist) {
  const files = readdirSync(dist, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  await Promise.all(
    files.map(async ({ parentPath, name }) => {
      const file = path.join(parentPath, name);
      const bytes = readFileSync(file);
      const forms = {
        br: await promisify(brotliCompress)(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }),
        gz: await promisify(gzip)(bytes, { level: 9 }),
      };
      for (const [ending, form] of Object.entries(forms)) {
        if (form.length < bytes.length) writeFileSync(`${file}.${ending}`, form);
      }
    }),
  );
}

await buildPage();
