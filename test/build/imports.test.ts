/**
 * Rules about where things are and what a file may name: imports go one way and make no circles, tests stand in the folders of the code that they
 * test, unsafe code is only in listed files, and no file names a registry.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { BUILT_ON, COPIED_BY_COMMAND, ENTRIES as PUBLIC, SHARING } from '../../ts/build/entries.js'

/** Files and folders of ts/, from the bottom up. A file may import from its own level and from those below. */
const LEVELS = [
  ['common'],
  ['backend', 'random', 'rows'],
  ['tensor'],
  ['autograd'],
  ['parameter'],
  ['ops'],
  ['nn', 'loss', 'optim', 'schedule'],
  ['curvature', 'solve', 'trace'],
  ['data', 'train', 'metrics', 'io'],
  ['plot'],
  ['select', 'report'],
  ['files', 'export'],
  ['index', 'debug', 'attention', 'conv', 'notebook', 'recurrent', 'text'],
  ['entries', 'search'],
  ['head', 'images', 'series', 'stream', 'table', 'tune', 'xray'],
  ['cli'],
]
const ENTRIES = ['index', 'entries/js', ...SHARING.map((name) => `${name}/index`)]
/** The files of five modules (lane, gemm, conv, fleet, abi) that need it because they access memory by address. */
const UNSAFE_FILES = [
  ...['crate/lane/f32x4.rs', 'crate/lane/f64x2.rs', 'crate/lane/touch.rs'],
  ...['blocked', 'direct', 'pack', 'repeated', 'tile', 'view'].map((name) => `crate/gemm/${name}.rs`),
  'crate/gemm/mod.rs',
  ...['depthwise', 'mod', 'pool', 'product', 'tile', 'upsample', 'weights'].map((name) => `crate/conv/${name}.rs`),
  'crate/bare.rs',
  ...['dense', 'job', 'panels', 'product'].map((name) => `crate/fleet/${name}.rs`),
  ...['crate/abi/mod.rs', 'crate/abi/fleet.rs', 'crate/abi/products.rs', 'crate/abi/program.rs'],
]
/** Folders of tests whose subject is not a folder of ts/. */
const OTHER_TESTS = ['bench', 'docs', 'reliability']
const INTRINSICS = ['crate/lane/', 'crate/bare.rs']

interface Source {
  file: string
  text: string
}

/** `ts/nn/dense.ts` → `nn`, `ts/tensor.ts` → `tensor`. */
function moduleOf(file: string): string {
  return path.posix.relative('ts', file).split('/')[0].replace(/\.ts$/, '')
}

function importsOf({ file, text }: Source): string[] {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '')
  const found = code.matchAll(/(?:^|\n)\s*(?:import|export)\b[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]|\bimport\s*\(?\s*['"]([^'"]+)['"]/g)
  return [...found]
    .map((m) => m[1] ?? m[2])
    .filter((target) => target.startsWith('.') && !/\.wasm\b/.test(target))
    .map((target) => path.posix.join(path.posix.dirname(file), target).replace(/\.js$/, '.ts'))
}

/** Every import against the direction, and every file that has no level. */
function wrongImports(sources: Source[]): string[] {
  const levelOf = (file: string) => LEVELS.findIndex((names) => names.includes(moduleOf(file)))
  return sources.flatMap((source) => {
    const own = levelOf(source.file)
    if (own < 0) return [`${source.file}: no level for '${moduleOf(source.file)}'; give it one in LEVELS of test/build/imports.test.ts`]
    return importsOf(source)
      .filter((target) => levelOf(target) > own || !target.startsWith('ts/'))
      .map((target) => `${source.file} imports ${target}`)
  })
}

/**
 * Groups of files that import each other in a loop, each with the imports that make it; of types, too, since a reader follows those as well.
 * Two files are in a group where each can be reached from the other.
 */
function circles(sources: Source[]): string[] {
  const targets = new Map(sources.map((source) => [source.file, importsOf(source).filter((target) => target !== source.file)]))
  const reachable = new Map<string, Set<string>>()
  for (const { file } of sources) {
    const found = new Set<string>()
    const open = [...(targets.get(file) ?? [])]
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (found.has(next)) continue
      found.add(next)
      open.push(...(targets.get(next) ?? []))
    }
    reachable.set(file, found)
  }
  return sources.flatMap(({ file }) =>
    [...new Set(targets.get(file))].filter((target) => reachable.get(target)?.has(file)).map((target) => `${file} -> ${target}`),
  )
}

/** The CLI is built apart from the engine, so whatever it runs comes from the built entries; types may come from anywhere. */
function wrongCliImports(sources: Source[]): string[] {
  const allowed = [...Object.values(PUBLIC), ...COPIED_BY_COMMAND.map((name) => `ts/${name}.ts`)]
  return sources.flatMap(({ file, text }) =>
    importsOf({ file, text: text.replace(/^import type\b.*?\bfrom\b.*$/gm, '') })
      .filter((target) => !target.startsWith('ts/cli/') && !allowed.includes(target))
      .map((target) => `${file} imports ${target}; the CLI uses the public API: ${allowed.join(', ')}`),
  )
}

/** Folders of tests that have no counterpart among folders of sources. */
function strayTests(tests: readonly string[], sources: readonly string[]): string[] {
  const folders = new Set(sources.map((file) => path.posix.dirname(path.posix.relative('ts', file))))
  const used = new Set(tests.map((file) => path.posix.dirname(path.posix.relative('test', file))))
  return [...used].filter((folder) => !folders.has(folder) && !OTHER_TESTS.includes(folder))
}

/** Rust without comments and strings, for looking for words. */
function rustCode(text: string): string {
  return text.replace(/\/\/[^\n]*|\/\*[\s\S]*?\*\/|"(?:[^"\\]|\\.)*"/g, '')
}

function wrongUnsafe(sources: Source[]): string[] {
  return sources.flatMap(({ file, text }) => {
    const code = rustCode(text)
    return [
      ...(/\b(?:core|std)::arch\b/.test(code) && !INTRINSICS.some((place) => file.startsWith(place))
        ? [`${file}: core::arch belongs in ${INTRINSICS.join(', ')}`]
        : []),
      ...(/\bunsafe\b/.test(code) && !UNSAFE_FILES.includes(file) ? [`${file}: unsafe belongs in ${UNSAFE_FILES.join(', ')}`] : []),
    ]
  })
}

// Taken apart, so that this file passes its own rule.
const FORBIDDEN = [
  ['registry', 'npmjs'],
  ['registry', 'yarnpkg'],
  ['index', 'crates', 'io'],
  ['static', 'crates', 'io'],
  ['pypi', 'org'],
  ['files', 'pythonhosted'],
  ['deb', 'debian', 'org'],
  ['proxy', 'golang'],
]
  .map((parts) => parts.join('.'))
  .concat([['', 'work', 'main'].join('/'), ['', 'work', 'shared'].join('/'), ['', 'root', ''].join('/')])

function forbiddenNames(sources: Source[], names: readonly string[]): string[] {
  return sources.flatMap(({ file, text }) => names.filter((name) => text.includes(name)).map((name) => `${file} names ${name}`))
}

/** Files that a text names by their path from the top folder, and that do not exist. */
function missingFiles(sources: Source[], isThere: (file: string) => boolean): string[] {
  const named = /(?<![\w./-])(?:crate|ts|test|bench|docs|playground)\/[\w./-]*\w\.(?:tsx?|mjs|rs|py|md|sh)\b/g
  return sources.flatMap(({ file, text }) =>
    [...new Set(text.match(named))]
      .filter((name) => !name.includes('/generated/') && !isThere(name))
      .map((name) => `${file} names ${name}`),
  )
}

/** Files that are committed or would be. */
function projectFiles(): string[] {
  const list = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { encoding: 'utf8', maxBuffer: 1 << 26 })
  return list.split('\n').filter((file) => file !== '' && existsSync(file))
}

/**
 * Files of rooms by which a second engine would get into their bundles: entries are imported by name, and all other files are copied. A file with an
 * import of types alone brings nothing.
 */
function secondEngines(sources: Source[]): string[] {
  const values = new Map(
    sources.map(({ file, text }) => [file, importsOf({ file, text: text.replace(/\b(?:im|ex)port type\b[^;]*?\bfrom\b.*/g, '') })]),
  )
  const isRoom = (file: string) => [...BUILT_ON, 'report', 'search'].includes(moduleOf(file))
  const isEntry = (file: string) => Object.values(PUBLIC).includes(file)
  return BUILT_ON.flatMap((room) => {
    const found = new Map([[`ts/${room}/index.ts`, '']])
    const wrong: string[] = []
    for (const file of found.keys())
      for (const target of values.get(file) ?? []) {
        if (found.has(target) || (isRoom(file) && isEntry(target))) continue
        found.set(target, file)
        if (target === 'ts/tensor.ts') wrong.push(`${room}: ${file} imports ${target}`)
      }
    return wrong
  })
}

function read(files: string[]): Source[] {
  return files.map((file) => ({ file, text: readFileSync(file, 'utf8') }))
}

describe('imports', () => {
  const sources = () => read(projectFiles().filter((file) => /^ts\/(?!build\/).*\.ts$/.test(file)))

  test('go one way', () => {
    expect(sources().length).toBeGreaterThan(0)
    expect(wrongImports(sources())).toEqual([])
  })

  test('make no circles', () => {
    expect(circles(sources()), 'move what both need, often a type, to a file of its own').toEqual([])
  })

  test('of rooms lead to no other room, but layers of convolution and the objective of tables', () => {
    const isRoom = (room: string) => room !== 'data' && [...BUILT_ON, 'attention', 'conv', 'recurrent', 'text', 'notebook'].includes(room)
    const pairs = sources().flatMap((source) =>
      importsOf(source)
        .map((target) => [moduleOf(source.file), moduleOf(target)])
        .filter(([from, to]) => isRoom(from) && isRoom(to) && from !== to),
    )
    expect([...new Set(pairs.map(String))].sort()).toEqual(['images,conv', 'tune,table'])
  })

  test('a circle is found, with every import of it and no other', () => {
    const sources = [
      { file: 'ts/a.ts', text: "import type { B } from './b.js'\nimport './d.js'" },
      { file: 'ts/b.ts', text: "export { c } from './c.js'" },
      { file: 'ts/c.ts', text: "import {\n  a,\n} from './a.js'" },
      { file: 'ts/d.ts', text: '' },
      { file: 'ts/e.ts', text: "import './a.js'" },
    ]
    expect(circles(sources)).toEqual(['ts/a.ts -> ts/b.ts', 'ts/b.ts -> ts/c.ts', 'ts/c.ts -> ts/a.ts'])
  })

  test('no room has an engine of its own', () => {
    expect(secondEngines(sources()), 'import from the index of gradus or of an entry').toEqual([])
    const room = [
      { file: 'ts/table/index.ts', text: "export { a } from './a.js'\nimport { tensor } from '../index.js'" },
      { file: 'ts/table/a.ts', text: "import type { T } from '../tensor.js'\nimport { reduced } from '../loss/composed.js'" },
      { file: 'ts/loss/composed.ts', text: "import { mul } from '../tensor.js'" },
    ]
    expect(secondEngines(room)).toEqual(['table: ts/loss/composed.ts imports ts/tensor.ts'])
    expect(secondEngines(room.slice(0, 2))).toEqual([])
  })

  test('entries only re-export, and register layers with model files or displays with notebooks', () => {
    for (const { file, text } of sources().filter((source) => ENTRIES.some((name) => source.file === `ts/${name}.ts`))) {
      const rest = text
        .replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, '')
        .replace(/^import '\.\/(?:files|displays)\.js' *$/m, '')
        .replace(/export\s+(?:type\s+)?(?:\{[^}]*\}|\*(?:\s+as\s+\w+)?)\s+from\s+'[^']+'/g, '')
      expect(rest.trim(), file).toBe('')
    }
  })

  test('the public index names every export', () => {
    const lines = Object.values(PUBLIC).flatMap((file) => readFileSync(file, 'utf8').split('\n'))
    const starred = lines.filter((line) => /^export \*(?! as )/.test(line))
    expect(starred, 'name what is exported, so that a reviewer sees the public surface').toEqual([])
  })

  test('an upward import is found', () => {
    const sources = [
      { file: 'ts/tensor.ts', text: "import type { Node } from './autograd.js'\nimport { x } from './common/errors.js'" },
      { file: 'ts/backend/heap.ts', text: "import {\n  a,\n  b,\n} from '../ops/index.js'" },
      { file: 'ts/ops/matmul.ts', text: "const nn = await import('../nn/dense.js')" },
      { file: 'ts/nn/dense.ts', text: "export * from '../../test/helper.js'" },
      { file: 'ts/loss/mse.ts', text: "// import x from '../train/x.js'\nimport { apply } from '../autograd.js'" },
    ]
    expect(wrongImports(sources.slice(0, 4))).toEqual([
      'ts/tensor.ts imports ts/autograd.ts',
      'ts/backend/heap.ts imports ts/ops/index.ts',
      'ts/ops/matmul.ts imports ts/nn/dense.ts',
      'ts/nn/dense.ts imports test/helper.ts',
    ])
    expect(wrongImports(sources.slice(4))).toEqual([])
  })

  test('the CLI uses the public API', () => {
    expect(wrongCliImports(sources().filter((source) => source.file.startsWith('ts/cli/')))).toEqual([])
    const file = 'ts/cli/command.ts'
    expect(wrongCliImports([{ file, text: "import { fit } from '../train/fit.js'" }])).toHaveLength(1)
    expect(wrongCliImports([{ file, text: "import type { Fit } from '../train/fit.js'\nimport { Adam } from '../index.js'" }])).toEqual([])
  })

  test('a file without a level is found', () => {
    expect(wrongImports([{ file: 'ts/helpers.ts', text: '' }])).toHaveLength(1)
  })
})

describe('tests', () => {
  const remedy = 'tests of ts/a/b/ stand in test/a/b/ (test/README.md)'

  test('stand in the folders of what they test', () => {
    const files = projectFiles()
    const tests = files.filter((file) => /^test\/.*\.test\.ts$/.test(file))
    expect(tests.length).toBeGreaterThan(0)
    const sources = files.filter((file) => file.startsWith('ts/'))
    expect(strayTests(tests, sources), remedy).toEqual([])
  })

  test('one that does not is found', () => {
    const sources = ['ts/index.ts', 'ts/optim/base/group.ts']
    expect(strayTests(['test/optim/base/a.test.ts', 'test/a.test.ts', 'test/docs/a.test.ts'], sources)).toEqual([])
    expect(strayTests(['test/optim/bases/a.test.ts'], sources)).toEqual(['optim/bases'])
  })
})

describe('crate', () => {
  test('unsafe and intrinsics stay in their files', () => {
    expect(wrongUnsafe(read(projectFiles().filter((file) => /^crate\/.*\.rs$/.test(file))))).toEqual([])
  })

  test('a stray unsafe is found, a comment is not', () => {
    expect(wrongUnsafe([{ file: 'crate/loss.rs', text: 'fn f() { unsafe { g() } }' }])).toHaveLength(1)
    expect(wrongUnsafe([{ file: 'crate/abi/loss.rs', text: 'fn f() { unsafe { g() } }' }])).toHaveLength(1)
    expect(wrongUnsafe([{ file: 'crate/gemm/mod.rs', text: 'use core::arch::wasm32::*; unsafe fn f() {}' }])).toHaveLength(1)
    expect(wrongUnsafe([{ file: 'crate/loss.rs', text: '// no unsafe here\n#![allow(unsafe_code)]' }])).toEqual([])
  })
})

describe('files', () => {
  test('name no registry and no path of one machine', () => {
    const files = read(projectFiles().filter((file) => !/\.(png|gz|bin|wasm|ico|woff2)$/.test(file)))
    expect(forbiddenNames(files, FORBIDDEN)).toEqual([])
  })

  test('that sources name are there', () => {
    const sources = read(projectFiles().filter((file) => /^(ts|crate|bench|playground\/src)\/.*\.(tsx?|mjs|rs|py|sh)$/.test(file)))
    expect(missingFiles(sources, existsSync)).toEqual([])
    const text = '// see ts/nn/dense.ts, `crate/gone.rs` and node_modules/ts/a.ts'
    expect(missingFiles([{ file: 'ts/a.ts', text }], existsSync)).toEqual(['ts/a.ts names crate/gone.rs'])
  })

  test("of a room stand in the room's README", () => {
    const files = projectFiles()
    const rooms = files.filter((file) => /^ts\/.*\/README\.md$/.test(file)).map((file) => path.posix.dirname(file))
    const isNamed = (room: string, name: string) => new RegExp(`(?<![\\w-])${name}`).test(readFileSync(`${room}/README.md`, 'utf8'))
    const missing = rooms.flatMap((room) => {
      const own = files.filter((file) => path.posix.dirname(file) === room && /(?<!\/index)\.ts$/.test(file))
      return own.filter((file) => !isNamed(room, path.posix.basename(file)))
    })
    expect(rooms.length).toBeGreaterThan(10)
    expect(missing, 'say in the README of the folder what the file does').toEqual([])
  })

  test('the lock file has no addresses', () => {
    expect(readFileSync('package-lock.json', 'utf8')).not.toMatch(/"resolved"/)
  })

  test('a registry is found', () => {
    expect(forbiddenNames([{ file: 'a.md', text: `see https://${FORBIDDEN[0]}.org/x` }], FORBIDDEN)).toHaveLength(1)
  })
})
