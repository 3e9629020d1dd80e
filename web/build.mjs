// SPDX-License-Identifier: Apache-2.0
// node build.mjs FOLDER: the page as index.html, app.HASH.js and app.HASH.css in FOLDER.
// Fails when a budget is exceeded: the whole page at most 90 kB, any file at most 100 kB, gzipped.
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const here = dirname(fileURLToPath(import.meta.url));
const PAGE_GZ_MAX = 90_000;
const FILE_GZ_MAX = 100_000;

const folder = process.argv[2];
if (!folder) {
  console.error("build.mjs: name the folder to write into");
  process.exit(2);
}

const result = await build({
  absWorkingDir: here,
  entryPoints: { app: "src/main.tsx" },
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  jsx: "automatic",
  jsxImportSource: "preact",
  legalComments: "none",
  outdir: folder,
  write: false,
});

mkdirSync(folder, { recursive: true });
let page = 0;
const names = {};
for (const file of result.outputFiles) {
  const kind = file.path.split(".").at(-1);
  const hash = createHash("sha256").update(file.contents).digest("hex").slice(0, 12);
  names[kind] = `app.${hash}.${kind}`;
  writeFileSync(join(folder, names[kind]), file.contents);
  check(names[kind], file.contents, FILE_GZ_MAX);
}

const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Slipway</title>
<link rel="icon" href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Cpath d='M1 13 13 3l2 2-9 8z' fill='%231f6f8b'/%3E%3C/svg%3E">
<link rel="stylesheet" href="/${names.css}">
<script type="module" src="/${names.js}"></script>
</head>
<body><div id="app"></div><noscript>This page needs JavaScript; every view has a command too: see slipway --help.</noscript></body>
</html>
`;
writeFileSync(join(folder, "index.html"), html);
check("index.html", html, FILE_GZ_MAX);
if (page > PAGE_GZ_MAX) fail(`the page is ${page} bytes gzipped, more than ${PAGE_GZ_MAX}`);
console.log(`page: ${page} bytes gzipped`);

function check(name, bytes, most) {
  const size = gzipSync(bytes, { level: 9 }).length;
  page += size;
  if (size > most) fail(`${name} is ${size} bytes gzipped, more than ${most}`);
}

function fail(text) {
  console.error(`build.mjs: ${text}`);
  process.exit(1);
}
