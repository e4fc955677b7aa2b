import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import solid from "vite-plugin-solid";

/** While the UI is worked on: the server that answers, and the install token that lets one in (see ui/README.md). */
const server = process.env.NADI_DEV_SERVER ?? "http://127.0.0.1:4300";
const token = process.env.NADI_DEV_TOKEN ?? "";

export default defineConfig({
  cacheDir: process.env.VITE_CACHE ?? "node_modules/.vite",
  plugins: [solid()],
  // The page says where it lies by its <base>; everything else is found from there, behind any proxy.
  base: "./",
  resolve: { alias: { "~": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: {
    outDir: "../src/nadi/server/static",
    emptyOutDir: true,
    target: "es2022",
    // The policy of the page lets no data: URL be a script or a style.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 700,
  },
  worker: { format: "es" },
  server: {
    host: "127.0.0.1",
    proxy: {
      "/api": {
        target: server,
        changeOrigin: true,
        headers: { origin: server, ...(token ? { authorization: `Bearer ${token}` } : {}) },
      },
    },
  },
  test: {
    environment: "node",
    include: ["src/**/*.test.ts", "src/**/*.test.tsx"],
  },
});
