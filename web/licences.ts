import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Plugin } from "vite";

/** Packages whose code goes into the page. */
const BUNDLED = ["svelte", "clsx", "esm-env", "spessasynth_core", "stb-vorbis"];
const SELF = new Set(["vite", "rolldown", "@sveltejs/vite-plugin-svelte"]);

function packageOf(id: string): string | null {
  const inside = id.split("node_modules/").pop();
  if (inside === undefined || inside === id) return null;
  const [scope = "", name = ""] = inside.split("/");
  return scope.startsWith("@") ? `${scope}/${name}` : scope;
}

/** Fails the build when code of a package goes in that is not on the list. */
export function checkBundled(): Plugin {
  return {
    name: "check-bundled",
    generateBundle(_options, bundle) {
      for (const chunk of Object.values(bundle)) {
        if (chunk.type !== "chunk") continue;
        for (const id of Object.keys(chunk.modules)) {
          const name = packageOf(id);
          if (name && !BUNDLED.includes(name) && !SELF.has(name)) this.error(`${name} goes into the page: add it to BUNDLED in licences.ts`);
        }
      }
    },
  };
}

/** Writes the licences of what the page is built from beside it. */
export function writeLicences(root: string): Plugin {
  return {
    name: "licences",
    generateBundle() {
      const texts = new Map<string, string[]>();
      for (const name of BUNDLED) {
        const folder = join(root, "node_modules", name);
        const about = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { version: string; license: string };
        const file = existsSync(folder) ? readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry)) : undefined;
        if (!file) this.error(`${name} has no licence file`);
        const text = readFileSync(join(folder, file), "utf8").replace(/\r/g, "").trim();
        texts.set(text, [...(texts.get(text) ?? []), `${name} ${about.version} (${about.license})`]);
      }
      const parts = [...texts].map(([text, names]) => `${names.join("\n")}\n\n${text}\n`);
      const head = "The studio's page is part of Backbeat (MIT). It contains code of these packages:\n";
      this.emitFile({ type: "asset", fileName: "LICENSES.txt", source: [head, ...parts].join(`\n${"-".repeat(79)}\n\n`) });
    },
  };
}
