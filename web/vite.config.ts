import { fileURLToPath } from "node:url";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";
import { checkBundled, writeLicences } from "./licences.ts";

const root = fileURLToPath(new URL(".", import.meta.url));

// The page lies in the Python package, prebuilt: plain names, no source maps, nothing that depends on the machine that builds.
export default defineConfig({
  plugins: [svelte(), checkBundled(), writeLicences(root)],
  base: "/static/",
  build: {
    outDir: "../src/backbeat/studio/static",
    emptyOutDir: true,
    target: "es2022",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1200,
    rolldownOptions: {
      output: { entryFileNames: "studio.js", chunkFileNames: "[name].js", assetFileNames: "studio[extname]" },
    },
  },
  worker: {
    format: "es",
    plugins: () => [checkBundled()],
    rolldownOptions: { output: { entryFileNames: "[name].js", assetFileNames: "[name][extname]" } },
  },
});
