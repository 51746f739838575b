import { defineConfig } from "vite";

/** The built page is served from the Python package, so that no machine needs node to use it. */
const PACKAGE_DATA = "../../palabra_agent/local/data/page";

export default defineConfig({
  base: "./",
  build: {
    outDir: PACKAGE_DATA,
    emptyOutDir: true,
    chunkSizeWarningLimit: 1000,
    rollupOptions: {
      output: {
        // names without hashes: the server sends the files with an ETag
        entryFileNames: "assets/page.js",
        chunkFileNames: "assets/[name].js",
        assetFileNames: "assets/page[extname]",
      },
    },
  },
  server: {
    // `npm run dev` beside `palabra-agent demo`: tokens come from there
    proxy: { "/token": process.env.PAGE_SERVER ?? "http://127.0.0.1:8088" },
  },
});
