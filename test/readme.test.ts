/**
 * README.md tells the truth: its snippets compile and run and give what their comments promise; its links, make targets and
 * commands exist; its lists are complete; its figures and its picture are those of bench/results.
 *
 * Snippets of one language in one section are one program, in their order.
 * `console.log(x) // claim` is a promise: `≥ 0.9`, `≤ 0.1`, `≈ 2` (to 1 %), or literals with `or` between them.
 */
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { build, type Plugin } from 'esbuild'
import { beforeAll, describe, expect, test } from 'vitest'
import { draw, withTables } from '../bench/chart.js'
import { type Curves, readResults, type Speed } from '../bench/results.js'
import { program } from '../ts/cli/program.js'
import * as engine from '../ts/index.js'
import * as losses from '../ts/loss/index.js'
import * as layers from '../ts/nn/index.js'

const readme = readFileSync('README.md', 'utf8')
const folder = path.resolve('.cache/readme', process.versions.node)
const execute = promisify(execFile)

interface Snippet {
  section: string
  language: string
  code: string
}

const snippets = findSnippets(readme)

/** The fenced blocks, those of one language and section joined. */
function findSnippets(text: string): Snippet[] {
  const out: Snippet[] = []
  for (const [i, part] of text.split(/^#+ (?=[A-Z])/m).entries()) {
    const section = i <= 1 ? 'opening' : part.slice(0, part.indexOf('\n'))
    for (const [, language, code] of part.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)) {
      const before = out.find((s) => s.section === section && s.language === language)
      if (before) before.code += code
      else out.push({ section, language, code })
    }
  }
  return out
}

const programs = snippets
  .filter(({ language }) => language === 'ts' || language === 'js')
  .map((snippet, i) => ({ ...snippet, name: `${i}-${snippet.section.toLowerCase().replace(/\W+/g, '-')}` }))
const shell = snippets
  .filter(({ language }) => language === 'sh')
  .flatMap(({ code }) => code.split('\n').map((line) => line.replace(/\s+#.*/, '')))

// ---- running ----

const PROMISE = /^(\s*)console\.log\((.*)\) \/\/ (.+)$/gm

/** `console.log(x) // claim` as a check that reports, and how many there are. */
function withChecks(code: string): { checked: string; promises: number } {
  let promises = 0
  const checked = code.replace(PROMISE, (_, indent, value, claim) => {
    promises++
    const bound = /^([≥≤≈]) (\S+)$/.exec(claim)
    const wanted = bound ? `'${bound[1]}', ${bound[2]}` : `'=', [${claim.split(' or ').join(', ')}]`
    return `${indent}__keeps(${JSON.stringify(`${value} // ${claim}`)}, ${value}, ${wanted})`
  })
  return { checked: CHECK + checked, promises }
}

const CHECK = `import { isDeepStrictEqual as __same } from 'node:util'
function __keeps(text, got, relation, wanted) {
  const kept = { '≥': () => got >= wanted, '≤': () => got <= wanted, '≈': () => Math.abs(got - wanted) <= 0.01 * Math.abs(wanted),
    '=': () => wanted.some((one) => __same(got, one)) }
  console.log(JSON.stringify({ text, got, kept: kept[relation]() }))
}
`

/** `gradus` as these sources, without the bytes of WebAssembly behind `gradus/js`. */
const sources = (withoutWasm: boolean): Plugin => ({
  name: 'gradus-from-source',
  setup(build) {
    const entries: Record<string, string> = { gradus: 'ts/index.ts', 'gradus/js': 'ts/js.ts', 'gradus/data': 'ts/data/index.ts' }
    build.onResolve({ filter: /^gradus(\/|$)/ }, ({ path: name }) => {
      if (!entries[name]) return { errors: [{ text: `gradus has no entry '${name}'` }] }
      return { path: path.resolve(entries[name]) }
    })
    if (!withoutWasm) return
    build.onResolve({ filter: /\/bytes\.js$/ }, () => ({ path: path.resolve('ts/backend/bytes.none.ts') }))
  },
})

async function runProgram({ name, language, code }: (typeof programs)[number]): Promise<{ text: string; got: unknown; kept: boolean }[]> {
  const { checked, promises } = withChecks(code)
  const outfile = path.join(folder, 'run', `${name}.mjs`)
  await build({
    stdin: { contents: checked, loader: language as 'ts' | 'js', resolveDir: process.cwd(), sourcefile: `README.md ${name}` },
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'es2022',
    plugins: [sources(code.includes("'gradus/js'"))],
    logLevel: 'silent',
  })
  const { stdout } = await execute(process.execPath, [outfile], { timeout: 50_000 })
  const kept = stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
  expect(kept.length, `promises of ${name} that were reached`).toBe(promises)
  return kept
}

beforeAll(() => {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
})

describe('snippets', () => {
  test('there are some, with promises', () => {
    expect(programs.length).toBeGreaterThanOrEqual(8)
    for (const { section, code } of programs) {
      const promises = code.match(PROMISE)?.length ?? 0
      expect(promises, section).toBeGreaterThan(0)
      expect(code.split('console.log(').length - 1, `${section}: lines that print, each with a promise`).toBe(promises)
    }
  })

  test('compile under strict TypeScript', { timeout: 60_000 }, async () => {
    for (const { name, language, code } of programs) writeFileSync(path.join(folder, `${name}.m${language}`), code)
    const paths = { gradus: ['ts/index.ts'], 'gradus/js': ['ts/js.ts'], 'gradus/data': ['ts/data/index.ts'] }
    const absolute = Object.entries(paths).map(([name, [file]]) => [name, [path.resolve(file)]])
    const config = {
      extends: path.resolve('tsconfig.json'),
      compilerOptions: {
        paths: Object.fromEntries(absolute),
        allowJs: true,
        checkJs: true,
        typeRoots: [path.resolve('node_modules/@types')],
      },
      include: ['*.mts', '*.mjs'],
      exclude: [],
    }
    writeFileSync(path.join(folder, 'tsconfig.json'), JSON.stringify(config))
    const tsc = path.resolve('node_modules/typescript/bin/tsc')
    const result = await execute(process.execPath, [tsc, '-p', folder, '--pretty', 'false']).catch((error: { stdout: string }) => error)
    const ours = result.stdout.split('\n').filter((line) => line.includes('.cache/readme/'))
    expect(ours).toEqual([])
  })

  test.each(programs)('$name keeps its promises', { timeout: 60_000 }, async (snippet) => {
    expect((await runProgram(snippet)).filter(({ kept }) => !kept)).toEqual([])
  })
})

describe('what it names exists', () => {
  const prose = readme.replace(/^```[\s\S]*?^```$/gm, '')

  test('files behind links', () => {
    const links = [...prose.matchAll(/\]\(([^)]+)\)/g)].map(([, target]) => target).filter((target) => !/^[a-z]+:/.test(target))
    expect(links.length).toBeGreaterThan(10)
    expect(links.filter((target) => !existsSync(target.replace(/#.*/, '')))).toEqual([])
  })

  test('make targets', () => {
    const targets = [...readFileSync('Makefile', 'utf8').matchAll(/^([a-z][a-z-]*):/gm)].map(([, name]) => name)
    const inline = [...prose.matchAll(/`make ([a-z-]+)`/g)].map(([, name]) => name)
    const named = [...shell.flatMap((line) => /^make ([a-z-]+)/.exec(line)?.[1] ?? []), ...inline]
    expect(named).toEqual(expect.arrayContaining(['demo', 'test', 'bench', 'pack']))
    expect(named.filter((name) => !targets.includes(name))).toEqual([])
  })

  test('the tarball', () => {
    const { name, version } = JSON.parse(readFileSync('package.json', 'utf8'))
    expect(readme).toContain(`./${name}-${version}.tgz`)
  })

  test.each(shell.filter((line) => line.startsWith('gradus ')))('%s', async (line) => {
    const cli = program()
    let understood = ''
    for (const command of cli.commands) {
      command.action(() => {
        understood = command.name()
      })
    }
    const args = line.split(' ').slice(1)
    await cli.parseAsync(args, { from: 'user' })
    expect(understood).toBe(args[0])
  })
})

describe('its lists are complete', () => {
  const listed = (row: string) =>
    (new RegExp(`^\\| \\[${row}\\]\\S* \\| (.*) \\|$`, 'm').exec(readme)?.[1] ?? '').split(/[,;] /).map((name) => name.trim())
  const values = (module: object) => Object.entries(module).filter(([, value]) => typeof value === 'function')
  const isClass = (value: unknown) => /^class\b/.test(String(value))

  test('optimizers', () => {
    expect(Object.keys(engine.OPTIMIZERS).filter((name) => !listed('optimizers').includes(name))).toEqual([])
    expect(listed('optimizers').filter((name) => !(name in engine))).toEqual([])
  })

  test('losses', () => {
    const names = values(losses).map(([name]) => name)
    expect(names.filter((name) => name !== 'oneHot' && !listed('losses').includes(name))).toEqual([])
  })

  test('layers', () => {
    const names = values(layers).flatMap(([name, value]) => (isClass(value) ? [name] : []))
    expect(names.filter((name) => !listed('layers').includes(name))).toEqual([])
  })
})

describe('what was measured', () => {
  test('the tables are those of bench/results/speed.json', () => {
    expect(withTables(readme, readResults<Speed>('speed'))).toBe(readme)
  })

  test('the picture is drawn from bench/results', async () => {
    const picture = await draw(readResults<Curves>('curves'), readResults<Speed>('speed'))
    expect(readFileSync('bench/results/overview.svg', 'utf8')).toBe(picture)
  })
})
