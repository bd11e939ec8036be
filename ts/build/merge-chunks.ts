/**
 * Merges chunks that entries share, after tsup. esbuild makes a chunk for each set of entries that share code, 45 of them behind `gradus`, and Node takes
 * longer to find and link these than to run them: `import 'gradus/head'` loaded 66 files in 60 ms of CPU, now 18 in 39.
 */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { buildSync } from 'esbuild'

/** `import { a as b } from "./chunk-ABCDEFGH.js"`, the same with `export`, and `import "./chunk-ABCDEFGH.js"`. */
const STATIC = /\b(?:(import|export) \{([^}]*)\} from|import) "\.\/(chunk-[A-Z0-9]{8})\.js"/g
const EXPORTED = /\bexport \{([^}]*)\};\s*$/

/**
 * One chunk of all that an entry imports, in the place of many.
 *
 * @param folder of the entries and chunks
 * @param entry its name, without `.js`
 * @param name of the new chunk, before its hash
 */
function mergeChunks(folder: string, entry: string, name: string): void {
  const codeOf = (file: string) => readFileSync(`${folder}/${file}.js`, 'utf8')
  const files = readdirSync(folder).flatMap((file) => /^(.*)\.js$/.exec(file)?.[1] ?? [])
  // those that are imported when they are asked for stay files
  const later = new Set(files.flatMap((file) => [...codeOf(file).matchAll(/\bimport\("\.\/([\w-]+)\.js"\)/g)].map(([, found]) => found)))
  const merged = new Set<string>()
  const visit = (file: string): void => {
    for (const [, , , found] of codeOf(file).matchAll(STATIC)) {
      if (later.has(found) || merged.has(found)) continue
      visit(found)
      merged.add(found)
    }
  }
  visit(entry)
  const chunks = [...merged]
  const own = (chunk: string, exported: string) => `${chunk.replace('-', '_')}_${exported}`
  const exportsOf = (chunk: string) =>
    (EXPORTED.exec(codeOf(chunk))?.[1] ?? '').split(',').flatMap((one) => one.trim().split(' as ').at(-1) || [])
  const contents = chunks
    .map((chunk) => `export { ${exportsOf(chunk).map((exported) => `${exported} as ${own(chunk, exported)}`)} } from './${chunk}.js'`)
    .join('\n')
  const [{ text }] = buildSync({
    ...{ stdin: { contents, resolveDir: folder }, bundle: true, write: false, format: 'esm', target: 'es2022', treeShaking: false },
    ...{ ignoreAnnotations: true, packages: 'external', logLevel: 'warning' },
    external: files
      .filter((file) => !merged.has(file))
      .map((file) => `./${file}.js`)
      .concat('./modules/*'),
  }).outputFiles
  const made = `${name}-${createHash('sha256').update(text).digest('hex').slice(0, 8).toUpperCase()}`
  writeFileSync(`${folder}/${made}.js`, text)
  for (const file of files.filter((file) => !merged.has(file))) {
    const before = codeOf(file)
    const after = before.replace(STATIC, (whole, verb: string | undefined, names: string, chunk: string) => {
      if (!merged.has(chunk)) return whole
      if (verb === undefined) return `import "./${made}.js"`
      const list = names.split(',').flatMap((one) => {
        const [exported, local = exported] = one.trim().split(' as ')
        return exported === '' ? [] : [`${own(chunk, exported)} as ${local}`]
      })
      return `${verb} { ${list.join(', ')} } from "./${made}.js"`
    })
    if (after !== before) writeFileSync(`${folder}/${file}.js`, after)
  }
  for (const chunk of chunks) rmSync(`${folder}/${chunk}.js`)
}

mergeChunks('dist', 'node', 'core')
mergeChunks('dist', 'head', 'room')
