import { defineConfig } from "vite";

// `npm run dev` shows the page against a floor running on this computer.
const floor = process.env["FABCOMMONS_URL"] ?? "http://127.0.0.1:8080";

export default defineConfig({
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: "../static",
    emptyOutDir: true,
    target: "es2022",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
  },
  server: { proxy: { "/api": floor, "/programs": floor } },
});
