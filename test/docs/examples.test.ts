/** Docstrings: everything public has one, functions and classes have an example, and the examples compile and are true. */
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync } from 'node:fs'
import path from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { asModule, type Example, findExamples, freeNames, publicExports, withClaims } from '../tools/examples.js'
import { bundle, compilerErrors, runBundle } from '../tools/snippets.js'

const folder = path.resolve('.cache/examples', process.versions.node)
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', 'ts'], { encoding: 'utf8' })
  .split('\n')
  .filter((file) => /^ts\/(?!cli\/|build\/|backend\/wasm\/generated\/).*\.ts$/.test(file))
/** Those of overloads have a number behind the name. */
const examples = findExamples(files).map((example, i, all): Example => {
  const before = all.slice(0, i).filter(({ name }) => name === example.name).length
  return before === 0 ? example : { ...example, name: `${example.name} ${before + 1}` }
})
const fileOf = ({ name }: Example) => name.split(' ')[0]
const programs = [...new Set(examples.map(fileOf))].map((file) => ({
  name: file.replace(/\W/g, '-'),
  language: 'ts',
  code: asModule(examples.filter((example) => fileOf(example) === file)),
}))

interface Outcome {
  name: string
  error?: string
  claims: { claim: string; got: string; holds: boolean }[]
}

/** Runs every example and reports, one line each. */
const RUNNER = `
const near = (a, b) => Object.is(a, b) || Math.abs(a - b) <= 1e-4 * Math.max(1, Math.abs(b))
const plain = (value) => typeof value?.toArray === 'function' ? value.toArray() : value
function holds(got, wanted) {
  if (typeof wanted === 'number') return near(Number(got), wanted)
  if (ArrayBuffer.isView(wanted)) return got?.constructor === wanted.constructor && holds([...got], [...wanted])
  if (Array.isArray(wanted)) return got?.length === wanted.length && wanted.every((w, i) => holds(got[i], w))
  if (wanted !== null && typeof wanted === 'object') return Object.keys(wanted).every((key) => holds(got[key], wanted[key]))
  return got === wanted
}
const report = console.log
console.log = () => {}
for (const examples of modules) for (const [name, run] of Object.entries(examples)) {
  const claims = []
  const check = (claim, got, wanted) => claims.push({ claim, got: String(JSON.stringify(plain(got))), holds: holds(plain(got), wanted) })
  try {
    await run(check)
    report(JSON.stringify({ name, claims }))
  } catch (error) {
    report(JSON.stringify({ name, claims, error: String(error?.stack ?? error) }))
  }
}
`

describe('docstrings', () => {
  const shown = publicExports().filter(({ tags }) => !tags.includes('internal'))

  test('everything public has one', () => {
    expect(shown.length).toBeGreaterThan(300)
    expect(shown.filter(({ documentation }) => documentation === '').map(({ name }) => name)).toEqual([])
  })

  test('what people call or construct has an example', () => {
    const wanted = shown.filter(({ kind, made }) => kind === 'function' || (kind === 'class' && made === 'by users'))
    expect(wanted.length).toBeGreaterThan(150)
    expect(wanted.filter(({ tags }) => !tags.includes('example')).map(({ name }) => name)).toEqual([])
  })
})

test('a name that two entries have is imported once, from the entry of the file', () => {
  const importsOf = (file: string) =>
    asModule([{ name: `${file} it`, code: 'let trial: Trial' }])
      .split('\n')
      .filter((line) => line.includes('type Trial '))
  expect(importsOf('ts/tune/trial.ts')).toEqual(["import { type Trial } from 'gradus/tune'"])
  expect(importsOf('ts/select/built.ts')).toEqual(["import { type Trial } from 'gradus/solve'"])
})

describe('examples', () => {
  const outcomes = new Map<string, Outcome>()

  beforeAll(async () => {
    const lines = programs.map(({ code, name }) => [name, code] as const)
    const imports = lines.map(([name], i) => `import m${i} from './${name}.mts'\n`).join('')
    const errors = compilerErrors(folder, programs, {
      noUnusedLocals: false,
      noUnusedParameters: false,
      noImplicitOverride: false,
      allowUnreachableCode: true,
    })
    expect(errors).toEqual([])
    const outfile = path.join(folder, 'run', 'all.mjs')
    await bundle(outfile, `${imports}const modules = [${lines.map((_, i) => `m${i}`)}]\n${RUNNER}`, 'js', folder)
    // a table that examples name as it lies in the package
    const table = 'docs/guide/penguins.csv'
    mkdirSync(path.join(folder, 'run', path.dirname(table)), { recursive: true })
    copyFileSync(table, path.join(folder, 'run', table))
    for (const outcome of await runBundle<Outcome>(outfile, { cwd: path.dirname(outfile) })) outcomes.set(outcome.name, outcome)
  })

  test('there are many, and most state a value', () => {
    expect(examples.length).toBeGreaterThan(150)
    const claims = [...outcomes.values()].flatMap((outcome) => outcome.claims)
    expect(claims.length).toBeGreaterThan(100)
  })

  test.each(examples)('$name', ({ name, code }) => {
    const outcome = outcomes.get(name)
    expect(outcome?.error).toBeUndefined()
    expect(outcome?.claims.filter(({ holds }) => !holds)).toEqual([])
    expect(outcome?.claims.length).toBe(withClaims(code).claims)
  })
})

describe('how they are read', () => {
  test('values are checked, prose is not', () => {
    const { code, claims } = withClaims("f(1) // [1, -2]\ng() // true: as it should be\nh() // 3x = 27\nconst a = k() // 5\nl() // 'x'")
    expect(claims).toBe(3)
    expect(code.split('\n')).toEqual([
      '__check("f(1) // [1, -2]", f(1), [1, -2]) // [1, -2]',
      '__check("g() // true", g(), true) // true: as it should be',
      'h() // 3x = 27',
      'const a = k() // 5',
      `__check("l() // 'x'", l(), 'x') // 'x'`,
    ])
  })

  test('names that nobody declared', () => {
    expect([...freeNames('const { a: b, c = d } = e; f((g) => g.h({ i: j, k }))')].sort()).toEqual(['d', 'e', 'f', 'j', 'k'])
  })
})
