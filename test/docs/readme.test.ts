/**
 * README.md is true: its snippets run and print the values in their comments; its links, make targets and commands exist; its lists are
 * complete; its figures and its picture equal bench/results (`make figures-check`). snippets.ts runs its snippets, guides.test.ts
 * compiles them.
 */
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { draw, withTables } from '../../bench/chart.js'
import { type Curves, readResults, type Speed } from '../../bench/results.js'
import { program } from '../../ts/cli/program.js'
import { bundlePrograms, countPromises, emptyProject, findSnippets, programsOf, type Reached, runPrograms } from '../tools/snippets.js'

const readme = readFileSync('README.md', 'utf8')
const folder = path.resolve('.cache/readme', process.versions.node)
const programs = programsOf(readme)
const shell = findSnippets(readme)
  .filter(({ language }) => language === 'sh')
  .flatMap(({ code }) => code.split('\n').map((line) => line.replace(/\s+#.*/, '')))

describe('snippets', () => {
  test('there are some, with promises', () => {
    expect(programs.length).toBeGreaterThanOrEqual(2)
    for (const { section, code } of programs) {
      expect(countPromises(code), section).toBeGreaterThan(0)
      expect(code.split('console.log(').length - 1, `${section}: lines that print, each with a promise`).toBe(countPromises(code))
    }
  })

  let all: Reached[]
  beforeAll(async () => {
    await bundlePrograms(`${folder}-run`, programs)
    all = await runPrograms(`${folder}-run`, 'readme', programs, { cwd: emptyProject(`${folder}-run`) })
  })

  test.each(programs)('$name keeps its promises', (snippet) => {
    const reached = all.filter(({ program }) => program === snippet.name)
    expect(reached.length, 'promises that were reached').toBe(countPromises(snippet.code))
    const broken = reached.filter(({ kept }) => !kept)
    expect(broken.map(({ text, got }) => `${text}, but it is ${JSON.stringify(got)}`).join('\n')).toBe('')
  })
})

describe('what it names exists', () => {
  const prose = readme.replace(/^```[\s\S]*?^```$/gm, '')

  test('files behind links', () => {
    const links = [...prose.matchAll(/\]\(([^)]+)\)/g)].map(([, target]) => target).filter((target) => !/^[a-z]+:/.test(target))
    expect(links.length).toBeGreaterThan(10)
    const headings = [...prose.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => `#${heading.toLowerCase().replaceAll(' ', '-')}`)
    expect(links.filter((target) => !headings.includes(target) && !existsSync(target.replace(/#.*/, '')))).toEqual([])
  })

  test('make targets', () => {
    const targets = [...readFileSync('Makefile', 'utf8').matchAll(/^([a-z][a-z-]*):/gm)].map(([, name]) => name)
    const inline = [...prose.matchAll(/`make ([a-z-]+)`/g)].map(([, name]) => name)
    const named = [...shell.flatMap((line) => /^make ([a-z-]+)/.exec(line)?.[1] ?? []), ...inline]
    expect(named).toEqual(expect.arrayContaining(['demo', 'test', 'pack']))
    expect(named.filter((name) => !targets.includes(name))).toEqual([])
  })

  test('its size', () => {
    expect(Buffer.byteLength(readme)).toBeLessThanOrEqual(8_000)
  })

  test('the tarball', () => {
    const { name, version } = JSON.parse(readFileSync('package.json', 'utf8'))
    expect(readme).toContain(`/${name}-${version}.tgz`)
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

describe.runIf(process.env.GRADUS_FIGURES)('what was measured', () => {
  test('the tables are those of bench/results/speed.json', () => {
    const page = readFileSync('docs/design/measured.md', 'utf8')
    expect(withTables(page, readResults<Speed>('speed'))).toBe(page)
  })

  test('the picture is drawn from bench/results', async () => {
    const picture = await draw(readResults<Curves>('curves'), readResults<Speed>('speed'))
    expect(readFileSync('bench/results/overview.svg', 'utf8')).toBe(picture)
  })
})
