/**
 * The package as npm would publish it: packed, installed into empty projects, and used there from ESM, CommonJS and TypeScript.
 * Needs the built dist/ (`make build`); works offline.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type BuildOptions, build } from 'esbuild'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import ts from 'typescript'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ENTRIES, SHARING } from '../../ts/build/entries.js'
import { coreSizes, gzipped, modulesIn } from '../bundlers/bundlers.js'
import { type Program, programsOf } from '../tools/snippets.js'

const REPOSITORY = process.cwd()
/** Compilers of users: the older one, which takes four times as long, checks the types of `gradus` once, and attw resolves by it. */
const [TYPESCRIPT_5, TYPESCRIPT] = ['typescript', 'typescript-7'].map((name) => path.join(REPOSITORY, 'node_modules', name, 'bin/tsc'))
const ATTW = path.join(REPOSITORY, 'node_modules/@arethetypeswrong/cli/dist/index.js')

/** Size budgets. Look into a size that exceeds its budget before you raise the budget. */
const BUDGETS = JSON.parse(readFileSync('test/budgets.json', 'utf8')) as Record<string, { what: string; budget: number }>

const EXPECTED_FILES = [
  'LICENSE',
  'README.md',
  'dist/THIRD-PARTY-NOTICES.md',
  'dist/cli.js',
  'dist/command.js',
  ...['node.js', 'wasm/simd.wasm'].map((file) => `dist/${file}`),
  'dist/js.d.ts',
  ...['index', ...Object.keys(ENTRIES).flatMap((name) => name.split('/').slice(1))].flatMap((entry) => [
    `dist/${entry}.js`,
    `dist/${entry}.d.ts`,
  ]),
  'llms.txt',
  'package.json',
  // The README's guides, which link to each other, without their pictures.
  'docs/optimizers.md',
  'docs/benchmarks.md',
  ...readdirSync('docs/guide').flatMap((file) => (/\.\w+$/.test(file) ? [`docs/guide/${file}`] : [])),
]

const PROGRAM = `
await load()
const inputs = tensor([[0, 0], [0, 1], [1, 0], [1, 1]])
const targets = tensor([0, 1, 1, 0])
const model = new Sequential([new Dense(2, 16, { activation: 'tanh' }), new Dense(16, 2)])
const optimizer = new Adam(model.parameters(), { learningRate: 0.05 })
await fit(model, { inputs, targets, loss: crossEntropy, optimizer, epochs: 200, batchSize: 4 })
const logits = model.predict(inputs)
`
/** Words from messages and code that a bundle should have left out. */
// fleets are a part of their own, kernels and all
const STRANGERS = ['fitMany', 'fleetHyper', 'AdEMAMix', 'Shampoo', 'Embedding', 'ReduceOnPlateau', 'conjugate', 'jacobian']
const NAMES = 'load, Sequential, Dense, Adam, crossEntropy, fit, tensor'
const REPORT = 'console.log(JSON.stringify({ shape: logits.shape, loss: crossEntropy(logits, targets).item() }))'

let workspace: string
let project: string
let packed: { filename: string; size: number; unpackedSize: number; files: { path: string }[] }

function run(command: string, args: string[], cwd: string): string {
  try {
    return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 1 << 26 })
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string }
    throw new Error(`${command} ${args.join(' ')}\n${stdout}${stderr}`)
  }
}

function write(name: string, text: string): string {
  writeFileSync(path.join(project, name), text)
  return name
}

function expectLearned(output: string): void {
  const { shape, loss } = JSON.parse(output) as { shape: number[]; loss: number }
  expect(shape).toEqual([4, 2])
  expect(loss).toBeLessThan(0.1)
}

function expectWithin(name: string, size: number): void {
  const { what, budget } = BUDGETS[name]
  console.log(`${what}: ${size} bytes; budget ${budget}`)
  expect(size, what).toBeLessThanOrEqual(budget)
}

beforeAll(() => {
  if (!existsSync('dist/index.js')) throw new Error('dist/ is not built; run make build')
  workspace = mkdtempSync(path.join(tmpdir(), 'gradus-package-'))
  project = path.join(workspace, 'project')
  mkdirSync(project)
  const report = JSON.parse(run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', workspace], REPOSITORY))
  packed = Array.isArray(report) ? report[0] : Object.values(report)[0]
  write('package.json', '{ "name": "empty", "private": true }')
  run('npm', ['install', path.join(workspace, packed.filename), '--offline', '--no-audit', '--no-fund'], project)
})

afterAll(() => {
  if (workspace) rmSync(workspace, { recursive: true, force: true })
})

/** Ten common mistakes, each with its message and the line of a program that makes it. */
const MISTAKES: [message: string, statement: string][] = [
  ['Dense(2, 2)', 'new Sequential([new Dense(2, 2)]).predict([[1, 2, 3]])'],
  ["no option 'learningrate'", 'new Adam([], { learningrate: 1 })'],
  ['crossEntropy', 'crossEntropy(tensor([[1, 2]]), [5])'],
  ['no parameter has a gradient', 'new Adam(new Sequential([new Dense(2, 2)]).parameters()).step()'],
  ['no values for', 'new Sequential([new Dense(2, 2)]).loadState({})'],
  ['batchSize', 'await fit(model, { inputs: [[1, 2]], targets: [0], loss: crossEntropy, optimizer, batchSize: 0.5 })'],
  ['ragged', 'tensor([[1], [2, 3]])'],
  ['matmul', 'matmul(tensor([[1, 2]]), tensor([[1, 2]]))'],
  ["no option 'stepz'", 'schedules.cosine(0.1, { stepz: 1 })'],
  ['decodeSafetensors', 'decodeSafetensors(new Uint8Array(4))'],
]
const MISTAKEN_NAMES = 'Adam, crossEntropy, Dense, fit, matmul, schedules, Sequential, tensor'

/** The output of Node for a program that ends in an error. */
function printed(file: string): string {
  const { stderr, status } = spawnSync(process.execPath, [file], { cwd: project, encoding: 'utf8' })
  expect(status, file).not.toBe(0)
  return stderr
}

describe('tarball', () => {
  test('holds what it should and nothing else', () => {
    const files = packed.files.map((file) => file.path)
    // Code or types that entries share, whose number and names the bundler chooses; and a file for each of ts/.
    const shared = /^dist\/(?:\w+-[A-Z0-9]{8}\.js|[\w-]+\.d-[\w-]{8}\.d\.ts|modules\/(?:web|js)\/.*\.js)$/
    expect(files.filter((file) => !shared.test(file)).sort()).toEqual([...EXPECTED_FILES].sort())
    expectWithin('packed', packed.size)
    console.log(`unpacked ${(packed.unpackedSize / 1000).toFixed(0)} kB, ${files.length} files`)
  })

  test('has no paths of the machine that built it, no dependencies', () => {
    const root = path.join(project, 'node_modules/gradus')
    for (const file of readdirSync(path.join(root, 'dist'), { recursive: true, encoding: 'utf8' })) {
      if (statSync(path.join(root, 'dist', file)).isDirectory()) continue
      const text = readFileSync(path.join(root, 'dist', file), 'utf8')
      expect(text.includes(REPOSITORY), `${file} names ${REPOSITORY}`).toBe(false)
    }
    expect(readdirSync(path.join(project, 'node_modules')).filter((name) => !name.startsWith('.'))).toEqual(['gradus'])
  })

  test('has the licences of all libraries inside', () => {
    const [notices, cli] = ['THIRD-PARTY-NOTICES.md', 'command.js'].map((name) => readFileSync(path.join('dist', name), 'utf8'))
    const inside = new Set([...cli.matchAll(/^ *\/\/ node_modules\/((?:@[^/]+\/)?[^/]+)/gm)].map((match) => match[1]))
    expect(inside).toContain('commander')
    for (const name of inside) {
      const [, text] = notices.split(new RegExp(`^## ${name} .*$`, 'm'))
      expect(text, name).toMatch(/Copyright|Permission/)
    }
  })

  test('passes publint', async () => {
    const { messages, pkg } = await publint({ pkgDir: path.join(project, 'node_modules/gradus'), pack: false, strict: true })
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([])
  })

  test('has right types for every way to resolve modules', () => {
    run(process.execPath, [ATTW, path.join(workspace, packed.filename), '--profile', 'esm-only', '--no-color', '--no-emoji'], workspace)
  })
})

describe('installed', () => {
  describe('a stack trace begins at the line of the program', () => {
    const files = ['mistakes.mjs', 'mistakes.cjs']
    const stacks = new Map<string, string[]>()

    beforeAll(() => {
      const setUp = 'const model = new Sequential([new Dense(2, 2)]); const optimizer = new Adam(model.parameters()); const stacks = []'
      const lines = MISTAKES.map(([, statement]) => `try { ${statement} } catch (error) { stacks.push(error.stack) }`)
      const body = `${setUp}\n${lines.join('\n')}\nconsole.log(JSON.stringify(stacks))`
      write(files[0], `import { ${MISTAKEN_NAMES} } from 'gradus'; import { decodeSafetensors } from 'gradus/export'\n${body}\n`)
      const required = `const { ${MISTAKEN_NAMES} } = require('gradus'), { decodeSafetensors } = require('gradus/export'); void (async () => {`
      write(files[1], `${required}\n${body}\n})()\n`)
      for (const file of files) stacks.set(file, JSON.parse(run(process.execPath, [file], project)))
    })

    test.each(MISTAKES.map(([message], i) => ({ message, i })))('$message', ({ message, i }) => {
      for (const file of files) {
        const stack = stacks.get(file)?.[i] ?? ''
        expect(stack).toContain(message)
        const [first] = stack.split('\n').filter((line) => /^\s+at /.test(line))
        expect(first, stack).toMatch(new RegExp(`${file.replace('.', '\\.')}:${3 + i}:`))
      }
    })
  })

  test('the line of source that Node prints above an error can be read', () => {
    const text = printed(write('sync.cjs', "const { tensor } = require('gradus')\ntensor([[1], [2, 3]])\n"))
    expect(text.split('\n')[1].trim()).toMatch(/^throw new ShapeError\(/)
  })

  test('trains from ESM', () => {
    expectLearned(run(process.execPath, [write('esm.mjs', `import { ${NAMES} } from 'gradus'\n${PROGRAM}\n${REPORT}`)], project))
  })

  test('the lines of README from a table to predictions run in an empty folder, and so do the commands', () => {
    const { code } = programsOf(readFileSync('README.md', 'utf8')).find(({ section }) => section === 'A table in one call') as Program
    expect(code.split('\n').filter((line) => line.trim() !== '').length).toBeLessThanOrEqual(6)
    expect(run(process.execPath, [write('table.mjs', code)], project)).toMatch(/^setosa\n(0\.9\d*|1)\n$/)
    const commands = [...readFileSync('README.md', 'utf8').matchAll(/^npx gradus (.*)$/gm)]
    expect(commands).toHaveLength(2)
    for (const [, rest] of commands) run(path.join(project, 'node_modules/.bin/gradus'), rest.split(' '), project)
    expect(readFileSync(path.join(project, 'answers.csv'), 'utf8').split('\n')[1]).toMatch(/^5\.1,3\.5,1\.4,0\.2,setosa,setosa,/)
  })

  test('trains from CommonJS', () => {
    const file = write('cjs.cjs', `const { ${NAMES} } = require('gradus')\nvoid (async () => {${PROGRAM}\n${REPORT} })()`)
    expectLearned(run(process.execPath, [file], project))
  })

  test('tables, tuning and the command have no engine of their own: they import gradus by its name', () => {
    for (const file of ['table.js', 'tune.js', 'command.js']) {
      const text = readFileSync(path.join(project, 'node_modules/gradus/dist', file), 'utf8')
      expect(text, file).toMatch(/from "gradus"/)
      expect(text, file).not.toMatch(/class (?:Tensor|Sequential)\b/)
    }
  })

  test('the guide for pages without a bundler names what entries import', () => {
    const guide = readFileSync('docs/guide/serving.md', 'utf8')
    const dist = path.join(project, 'node_modules/gradus/dist')
    const importsOf = (entry: string) =>
      new Set(
        Array.from(readFileSync(path.join(dist, `${entry}.js`), 'utf8').matchAll(/(?:from|import) ?"gradus\/(\w+)"/g), ([, name]) => name),
      )
    const map = Array.from(guide.matchAll(/^ +"gradus(?:\/(\w+))?": "\.\/node_modules\/gradus\/dist\/(\w+)\.js"/gm), ([, entry, file]) => [
      entry ?? 'index',
      file,
    ])
    for (const [entry, file] of map) expect(file).toBe(entry)
    expect(new Set(map.map(([entry]) => entry))).toEqual(new Set(['index', 'table', ...importsOf('table')]))
    for (const entry of ['head', 'series', 'images', 'xray', 'tune']) {
      const said = new RegExp(`\`gradus/${entry}\` imports ([^;.]*)`).exec(guide.replaceAll('\n', ' '))?.[1] ?? ''
      expect(new Set(Array.from(said.matchAll(/`gradus\/(\w+)`/g), ([, name]) => name)), entry).toEqual(importsOf(entry))
    }
  })

  test('trains without WebAssembly, from gradus/js', () => {
    expectLearned(run(process.execPath, [write('js.mjs', `import { ${NAMES} } from 'gradus/js'\n${PROGRAM}\n${REPORT}`)], project))
  })

  test('gradus/js warns that it cannot be reproducible everywhere, and gives the same bits again here', () => {
    const weights = `async () => {
  const model = new Sequential([new Dense(2, 3, { activation: 'tanh' }), new Dense(3, 2)], { seed: 1 })
  const optimizer = new Adam(model.parameters())
  await fit(model, { inputs: tensor([[0, 1], [1, 0]]), targets: tensor([0, 1]), loss: crossEntropy, optimizer, epochs: 5, seed: 2 })
  return model.parameters().map((p) => [...p.data()])
}`
    const said = 'const said = []\nconsole.warn = (text) => said.push(text)\nawait load({ reproducible: true })'
    const report = `const train = ${weights}\nconsole.log(JSON.stringify([said, await train(), await train()]))`
    const file = write('again.mjs', `import { ${NAMES} } from 'gradus/js'\n${said}\n${report}`)
    const [warnings, once, again] = JSON.parse(run(process.execPath, [file], project))
    expect(warnings).toEqual([expect.stringMatching(/reproducible.*JavaScript/)])
    expect(again).toEqual(once)
  })

  test('the entries load in both module systems and share their classes', () => {
    const names = JSON.stringify(Object.keys(ENTRIES))
    const same =
      'console.log(all.every((b) => Object.keys(b).length > 0), all.every((b) => Object.keys(b).every((name) => !(name in a) || a[name] === b[name])))'
    const esm = `const all = await Promise.all(${names}.map((name) => import(name)))\nconst [a] = all\n${same}`
    const cjs = `const all = ${names}.map((name) => require(name))\nconst [a] = all\n${same}`
    expect(run(process.execPath, [write('entries.mjs', esm)], project)).toBe('true true\n')
    expect(run(process.execPath, [write('entries.cjs', cjs)], project)).toBe('true true\n')
    const mixed = `import { createRequire } from 'node:module'\nimport * as a from 'gradus'\nconsole.log(createRequire(import.meta.url)('gradus').Tensor === a.Tensor)`
    expect(run(process.execPath, [write('mixed.mjs', mixed)], project)).toBe('true\n')
  })

  test('classes and losses have the names that people know, which messages show', () => {
    const body = (load: string) => `${load}
      const named = Object.entries(gradus).filter(([name, value]) => (typeof value === 'function' && /^class\\b/.test(String(value))) || name.endsWith('Entropy') || name === 'mse')
      console.log(named.length > 60, named.filter(([name, value]) => value.name !== name).map(([name, value]) => name + ' ' + value.name))`
    for (const entry of ['gradus/js']) {
      expect(run(process.execPath, [write('names.mjs', body(`import * as gradus from '${entry}'`))], project)).toBe('true []\n')
      expect(run(process.execPath, [write('names.cjs', body(`const gradus = require('${entry}')`))], project)).toBe('true []\n')
    }
  })

  test.each([
    ['nodenext', ['main.ts', 'main.mts', 'main.cts']],
    ['bundler', ['bundled.ts']],
  ])('type-checks with %s resolution, and finds a misspelt option', (resolution, names) => {
    const body = [
      `import { ${NAMES} } from 'gradus'\nimport * as data from 'gradus/data'\nvoid data`,
      `async function main(): Promise<void> {${PROGRAM}\n${REPORT} }\nvoid main()`,
      '// @ts-expect-error: learningRate\nvoid new Adam(new Dense(1, 1).parameters(), { learningrate: 1 })\nexport {}\n',
    ].join('\n')
    const module = resolution === 'bundler' ? 'esnext' : 'nodenext'
    const options = [
      '--module',
      module,
      '--moduleResolution',
      resolution,
      '--target',
      'es2022',
      '--lib',
      'es2022,dom',
      '--strict',
      '--noEmit',
    ]
    run(process.execPath, [TYPESCRIPT, ...options, ...names.map((name) => write(name, body))], project)
  })

  test('the types of all entries fit together', () => {
    const file = write(
      'entries.mts',
      Object.keys(ENTRIES)
        .map((name, i) => `export * as entry${i} from '${name}'\n`)
        .join(''),
    )
    const options = [
      '--module',
      'nodenext',
      '--target',
      'es2022',
      '--lib',
      'es2023,dom,dom.iterable',
      '--strict',
      '--exactOptionalPropertyTypes',
      '--noEmit',
    ]
    run(process.execPath, [TYPESCRIPT, ...options, file], project)
  })

  test('its types stand alone where the compiler knows neither the DOM nor WebAssembly', () => {
    const file = write('bare.mts', `declare global { interface AbortSignal {} }\nimport { load } from 'gradus'\nvoid load()\n`)
    const options = ['--module', 'nodenext', '--target', 'es2022', '--lib', 'es2022', '--strict', '--noEmit']
    run(process.execPath, [TYPESCRIPT_5, ...options, file], project)
  })

  test('brings the command', () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
    expect(run(path.join(project, 'node_modules/.bin/gradus'), ['--version'], project)).toContain(version)
  })
})

describe('bundled and minified', () => {
  const bundle = async (contents: string, options: BuildOptions = {}) => {
    const stdin = { contents, resolveDir: project }
    const base: BuildOptions = { stdin, bundle: true, minify: true, format: 'esm', platform: 'browser', write: false, logLevel: 'silent' }
    const { outputFiles } = await build({ ...base, ...options })
    return outputFiles?.[0].text ?? ''
  }

  test('an entry that is imported and not named lets model files hold its layers, in Node and in a bundle', async () => {
    const make = (layer: string, from: string) =>
      `import { writeFileSync } from 'node:fs'\nimport { Dense, encodeModel, Sequential } from 'gradus'\nimport { ${layer.split('(')[0]} } from '${from}'\n` +
      `writeFileSync('layers.safetensors', encodeModel(new Sequential([new ${layer}])))`
    const read = (from: string) =>
      `import { readFileSync } from 'node:fs'\nimport { decodeModel } from 'gradus'\nimport '${from}'\n` +
      `console.log(decodeModel(readFileSync('layers.safetensors')).layers[0].describe().split("(")[0])`
    const rooms = { 'gradus/attention': 'RMSNorm(2)', 'gradus/conv': 'Conv2d(1, 2, 3)', 'gradus/recurrent': 'GRU(1, 2)' }
    const registering = readdirSync('ts').filter((room) => existsSync(`ts/${room}/files.ts`))
    expect(Object.keys(rooms)).toEqual(registering.map((room) => `gradus/${room}`))
    for (const [from, layer] of Object.entries(rooms)) {
      run(process.execPath, [write('make-layers.mjs', make(layer, from))], project)
      const name = layer.split('(')[0]
      expect(run(process.execPath, [write('read-layers.mjs', read(from))], project)).toBe(`${name}\n`)
      const bundled = await bundle(read(from), { platform: 'node', format: 'esm' })
      expect(run(process.execPath, [write('bundled-layers.mjs', bundled)], project)).toBe(`${name}\n`)
    }
  })

  test('an X-ray says the same in a minified bundle', async () => {
    const program = [
      "import { Adam, BatchNorm, crossEntropy, Dense, Dropout, Embedding, Flatten, fit, LayerNorm, Sequential, tensor } from 'gradus'",
      "import { XRay } from 'gradus/xray'",
      'const targets = Int32Array.from({ length: 64 }, (_, i) => i % 3)',
      "const plain = [new Dense(8, 16, { activation: 'relu' }), new BatchNorm(16), new Dropout(0.9), new LayerNorm(16), new Dense(16, 3)]",
      'const ids = [new Embedding(9, 2), new Flatten(), new Dense(16, 3)]',
      'const numbers = tensor(Float32Array.from({ length: 512 }, (_, i) => 100 * Math.sin(i)), [64, 8])',
      'const words = tensor(Int32Array.from({ length: 512 }, (_, i) => i % 9), [64, 8])',
      'for (const [layers, inputs] of [[plain, numbers], [ids, words]]) {',
      '  const [model, xray] = [new Sequential(layers, { seed: 1 }), new XRay()]',
      '  const optimizer = new Adam(model.parameters(), { learningRate: 0.5 })',
      '  await fit(model, { inputs, targets, loss: crossEntropy, optimizer, epochs: 8, verbose: false, callbacks: [xray] })',
      '  console.log(JSON.stringify(xray.report))',
      '}',
    ].join('\n')
    const reported = run(process.execPath, [write('xray.mjs', program)], project)
    expect(reported).toContain('dropout too large')
    const bundled = await bundle(program, { platform: 'node' })
    expect(run(process.execPath, [write('bundled-xray.mjs', bundled)], project)).toBe(reported)
  })

  test('entries that are built apart know of each other that they train a model', async () => {
    const program = [
      "import { Adam, Dense, fit, mse, Sequential } from 'gradus'",
      "import { fitStream } from 'gradus/stream'",
      'const model = new Sequential([new Dense(1, 1)])',
      'const options = { loss: mse, optimizer: new Adam(model.parameters()) }',
      'const rows = { inputs: [[1], [2]], targets: [[1], [2]] }',
      'const streamed = fitStream(model, { ...options, data: [rows] })',
      'const refused = await fit(model, { ...options, ...rows }).catch(String)',
      'console.log(refused, (await streamed).rows, (await fit(model, { ...options, ...rows })).steps)',
    ].join('\n')
    const wanted = 'Error: fit: this model is being trained already; wait for the first fitStream to end 2 1\n'
    expect(run(process.execPath, [write('claims.mjs', program)], project)).toBe(wanted)
    const bundled = await bundle(program, { platform: 'node' })
    expect(run(process.execPath, [write('bundled-claims.mjs', bundled)], project)).toBe(wanted)
  })

  test('all of gradus brings all of WebAssembly, all of gradus/js none', async () => {
    const entries = ['gradus', ...SHARING.map((name) => `gradus/${name}`)]
    const { script, whole } = coreSizes(await bundle(entries.map((entry) => `export * from '${entry}'`).join('\n')))
    console.log(`all of gradus: ${script} bytes of JavaScript, ${whole} with WebAssembly`)
    expect(modulesIn(await bundle("export * from 'gradus/js'"))).toEqual([])
  })

  test('a small program brings what it uses', async () => {
    const text = await bundle(`export { ${NAMES} } from 'gradus'`)
    expectWithin('program', gzipped(text))
    for (const stranger of STRANGERS) expect(text).not.toContain(stranger)
  })

  test('one optimizer brings little else', async () => {
    const text = await bundle("export { SGD, Parameter } from 'gradus/js'")
    expectWithin('optimizerAlone', gzipped(text))
    for (const stranger of [...STRANGERS, 'fit:', 'Dense(']) expect(text).not.toContain(stranger)
  })

  test('importing nothing leaves nothing', async () => {
    expect((await bundle("import {} from 'gradus'\nimport { ShapeError } from 'gradus/js'\nexport { ShapeError }")).length).toBeLessThan(
      1000,
    )
  })

  test('optimizers keep the names that they save their state under', async () => {
    const names = '[Object.keys(OPTIMIZERS), Object.values(OPTIMIZERS).map((optimizer) => optimizer.name)]'
    write('names.mjs', await bundle(`import { OPTIMIZERS } from 'gradus/optim'\nconsole.log(JSON.stringify(${names}))`))
    const [keys, found] = JSON.parse(run(process.execPath, ['names.mjs'], project)) as string[][]
    expect(found).toEqual(keys)
  })

  // Saved weights and optimizers depend on the order of parameters, which is the order of a layer's fields: tools that lower fields must keep it.
  test('lowered, parameters keep their order and training its bits', async () => {
    const source = `
import { Activation, Adam, crossEntropy, Dense, Embedding, fit, Flatten, load, Module, Sequential, tensor } from 'gradus'
class Net extends Module {
  embed = new Embedding(6, 3)
  body = new Sequential([new Flatten(), new Dense(6, 5, { activation: 'tanh' }), new Activation('relu')])
  head
  constructor(options) {
    super(options)
    this.head = new Dense(5, 2)
  }
  forward(x) {
    return this.head.forward(this.body.forward(this.embed.forward(x)))
  }
}
async function main() {
  await load({ variant: 'simd' })
  const net = new Net({ seed: 1 })
  const optimizer = new Adam(net.parameters())
  const inputs = tensor(Int32Array.of(0, 1, 2, 3, 4, 5), [3, 2])
  await fit(net, { inputs, targets: [0, 1, 0], loss: crossEntropy, optimizer, epochs: 3, seed: 1 })
  console.log(JSON.stringify(net.parameters().map((p) => [p.name, ...p.shape, ...p.data()])))
}
main()
`
    const lowered = ['es2022', 'es2020', 'es2015'].map(async (target) => [target, await bundle(source, { target })])
    // Fields set by assignment, as by Babel's loose mode and TypeScript before ES2022.
    const { outputText } = ts.transpileModule(await bundle(source, { minify: false }), {
      compilerOptions: { target: ts.ScriptTarget.ES2015, module: ts.ModuleKind.ESNext, useDefineForClassFields: false },
    })
    const results = [...(await Promise.all(lowered)), ['assigned', outputText]].map(([name, text]) =>
      run(process.execPath, [write(`${name}.mjs`, text)], project),
    )
    const parameters = JSON.parse(run(process.execPath, [write('plain.mjs', source)], project)) as [string, ...number[]][]
    expect(parameters.map(([name]) => name)).toEqual(['embed.weight', 'body.1.weight', 'body.1.bias', 'head.weight', 'head.bias'])
    for (const result of results) expect(JSON.parse(result)).toEqual(parameters)
  })

  test.each([
    ['workerd', '../../../wasm/simd.wasm'],
    ['edge-light', '../../../wasm/simd.wasm?module'],
  ])('under the condition %s WebAssembly is imported, not compiled', async (condition, specifier) => {
    const imported: string[] = []
    const text = await bundle(`import { ${NAMES} } from 'gradus'\nWebAssembly.Module = undefined\n${PROGRAM}\n${REPORT}`, {
      conditions: [condition],
      plugins: [
        {
          name: 'compiled-wasm',
          setup({ onResolve, onLoad }) {
            onResolve({ filter: /\.wasm/ }, ({ path: target, resolveDir }) => {
              imported.push(target)
              return { path: path.join(resolveDir, target.replace('?module', '')), namespace: 'compiled' }
            })
            onLoad({ filter: /./, namespace: 'compiled' }, ({ path: file }) => ({
              contents: `import { readFileSync } from 'node:fs'\nexport default new WebAssembly.Module(readFileSync(${JSON.stringify(file)}))`,
            }))
          },
        },
      ],
      external: ['node:fs'],
    })
    expect(imported).toEqual([specifier])
    expect(modulesIn(text)).toEqual([])
    expectLearned(run(process.execPath, [write(`${condition}.mjs`, text)], project))
  })
})
