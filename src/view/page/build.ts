/**
 * Builds the page: one HTML document with everything in it, in dist/view/page.html, and the policy that lets it load nothing
 * else. Run by `npm run bundle`.
 */
import { createHash } from 'node:crypto';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const out = here('../../../dist/view/');

const [script, style] = await Promise.all(
  ['main.tsx', 'style.css'].map(async (file) => {
    const { outputFiles } = await build({
      entryPoints: [here(file)],
      bundle: true,
      minify: true,
      write: false,
      format: 'iife',
      target: 'es2022',
      jsx: 'automatic',
      jsxImportSource: 'preact',
      define: { 'process.env.NODE_ENV': '"production"' },
      legalComments: 'inline',
      logLevel: 'warning',
    });
    return outputFiles[0]?.text ?? '';
  }),
);
// elkjs as it is published: its licence (EPL-2.0) asks for the file itself, unmodified.
const { resolve } = createRequire(import.meta.url);
const worker = await readFile(resolve('elkjs/lib/elk-worker.min.js'), 'utf8');

/** What stands in a script element must not end it. */
const inScript = (text: string) =>
  text.replaceAll('</script', String.raw`<\/script`).replaceAll('<!--', String.raw`<\!--`);
const hash = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

const code = inScript(script ?? '');
const css = style ?? '';
const policy = [
  `default-src 'none'`,
  `script-src ${hash(code)}`,
  `style-src ${hash(css)}`,
  'worker-src blob:',
  'img-src data: blob:',
  `connect-src 'self'`,
  `base-uri 'none'`,
  `form-action 'none'`,
].join('; ');

const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>troupe</title>
<link rel="icon" href="data:,">
<style>${css}</style>
</head>
<body>
<div id="root"></div>
<!-- elkjs, unmodified, EPL-2.0: https://github.com/kieler/elkjs -->
<script type="text/plain" id="layout">${inScript(worker)}</script>
<script type="application/json" id="run"></script>
<script>${code}</script>
</body>
</html>
`;

await mkdir(out, { recursive: true });
await writeFile(`${out}page.html`, page);
await writeFile(`${out}policy.txt`, `${policy}; frame-ancestors 'none'`);
// For drawing without a browser; the name says to Node what it is.
await copyFile(resolve('elkjs/lib/elk.bundled.js'), `${out}elk.bundled.cjs`);
await copyFile(resolve('elkjs/LICENSE.md'), `${out}elk.LICENSE.md`);
