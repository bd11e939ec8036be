/**
 * docs/guide is true: its programs compile, run and print the output in their comments; its links lead somewhere; its figures equal bench/results
 * (`make figures-check`). snippets.ts finds and runs the programs, in a project that has only the package.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { drawFigures } from '../../bench/figures.js'
import {
  bundlePrograms,
  compilerErrors,
  countPromises,
  emptyProject,
  filesNotRun,
  findSnippets,
  programsOf,
  type Reached,
  runPrograms,
  typeErrors,
} from '../tools/snippets.js'

const GUIDES = 'docs/guide'
const folder = path.resolve('.cache/guide', process.versions.node)
const files = readdirSync(GUIDES).filter((file) => file.endsWith('.md'))
const texts = Object.fromEntries(files.map((file) => [file, readFileSync(path.join(GUIDES, file), 'utf8')]))
/** Programs for other libraries, which are shown next to ours, say so in their import. */
const programs = Object.entries(texts).flatMap(([file, text]) =>
  programsOf(text, `${file.replace('.md', '')}-`).filter(({ code }) => !code.includes('not run here')),
)

/** `tune` of `tune-3-in-parallel`. */
const guideOf = (name: string) => name.slice(0, name.search(/-\d+-/))

describe('programs', () => {
  test('every guide has one, and each promises something', () => {
    const bare = files.filter((file) => file !== 'README.md' && programsOf(texts[file]).length === 0)
    expect(bare).toEqual([])
    for (const { name, code } of programs) expect(countPromises(code), name).toBeGreaterThan(0)
  })

  test('whatever is printed is promised', () => {
    for (const { name, code } of programs) expect(code.split('console.log(').length - 1, name).toBe(countPromises(code))
  })

  test('compile under strict TypeScript, as do those of README, which use all that they import', () => {
    const all = [...programs, ...programsOf(readFileSync('README.md', 'utf8'), 'readme-')]
    const errors = compilerErrors(folder, all, { exactOptionalPropertyTypes: true })
    expect(errors.filter((text) => /readme-/.test(text) || !/error TS61(33|92|96|98)/.test(text)).join('\n')).toBe('')
  })

  const others = files.filter((file) => filesNotRun(texts[file]).length > 0)

  test('those that are not run are named, or programs of other libraries', () => {
    expect(others).toEqual(['saving.md', 'serving.md', 'tune.md'])
    for (const file of files)
      expect(texts[file].split('not run here').length - 1 - filesNotRun(texts[file]).length, file).toBe(
        { 'from-brain.md': 2, 'from-keras.md': 1, 'head.md': 4 }[file] ?? 0,
      )
  })

  test('those that are not run compile in a new project of Vite', () => {
    expect(viteErrors().join('\n')).toBe('')
  })

  describe.concurrent('keep their promises', () => {
    const project = emptyProject(`${folder}-project`)
    const runs = new Map<string, Promise<Reached[]>>()
    /** One process runs all programs of a guide. */
    const runOf = (guide: string): Promise<Reached[]> => {
      const own = programs.filter(({ name }) => guideOf(name) === guide)
      const run = runs.get(guide) ?? runPrograms(folder, guide, own, { cwd: project })
      runs.set(guide, run)
      return run
    }

    beforeAll(() => bundlePrograms(folder, programs))

    test.each(programs)('$name', async (program) => {
      const reached = (await runOf(guideOf(program.name))).filter((one) => one.program === program.name)
      expect(reached.length, 'promises that were reached').toBe(countPromises(program.code))
      const broken = reached.filter(({ kept }) => !kept)
      expect(broken.map(({ text, got }) => `${text}, but it is ${JSON.stringify(got)}`).join('\n')).toBe('')
    })
  })
})

/** Compiler errors of the files that are not run, with the settings of `npm create vite -- --template vanilla-ts`, in JavaScript too. */
function viteErrors(): string[] {
  const written = files.flatMap((guide) => {
    const sources = filesNotRun(texts[guide])
    const project = sources.length > 0 ? emptyProject(`${folder}-${guide}`) : ''
    return sources.map(({ file, code }) => {
      writeFileSync(path.join(project, file), code)
      return path.join(project, file)
    })
  })
  return typeErrors(written, {
    ...{ target: 'es2023', module: 'esnext', lib: ['ES2023', 'DOM', 'DOM.Iterable'], skipLibCheck: true, types: [] },
    ...{
      moduleResolution: 'bundler',
      allowImportingTsExtensions: true,
      verbatimModuleSyntax: true,
      moduleDetection: 'force',
      noEmit: true,
    },
    ...{ strict: true, noUnusedLocals: true, noUnusedParameters: true, erasableSyntaxOnly: true, noFallthroughCasesInSwitch: true },
  })
}

describe('what they name exists', () => {
  const links = (file: string) =>
    [...texts[file].replace(/^```[\s\S]*?^```$/gm, '').matchAll(/\]\(([^)]+)\)/g)]
      .map(([, target]) => target)
      .filter((target) => !/^[a-z]+:/.test(target))

  test.each(files)('%s: files behind links', (file) => {
    expect(links(file).filter((target) => !existsSync(path.join(GUIDES, target.replace(/#.*/, ''))))).toEqual([])
  })

  test.each(files)('%s: headings behind links', (file) => {
    const broken = links(file).filter((target) => {
      const [other, heading] = target.split('#')
      return (
        heading !== undefined &&
        !anchors(texts[other === '' ? file : other] ?? readFileSync(path.join(GUIDES, other), 'utf8')).includes(heading)
      )
    })
    expect(broken).toEqual([])
  })

  test('the index names every guide', () => {
    const named = links('README.md')
    expect(files.filter((file) => file !== 'README.md' && !named.includes(file))).toEqual([])
  })

  test('snippets have a language', () => {
    for (const file of files)
      expect(
        findSnippets(texts[file]).filter(({ language }) => language === ''),
        file,
      ).toEqual([])
  })
})

/** Headings as GitHub names them. */
function anchors(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, title]) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N} -]/gu, '')
      .replaceAll(' ', '-'),
  )
}

test.runIf(process.env.GRADUS_FIGURES)('the figures are drawn from bench/results', async () => {
  const drawn = await drawFigures()
  const folder = path.join(GUIDES, 'figures')
  expect(readdirSync(folder).sort()).toEqual(
    Object.keys(drawn)
      .map((name) => `${name}.svg`)
      .sort(),
  )
  for (const [name, svg] of Object.entries(drawn)) expect(readFileSync(path.join(folder, `${name}.svg`), 'utf8') === svg, name).toBe(true)
})
