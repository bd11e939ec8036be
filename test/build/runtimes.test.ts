/**
 * The installed package in every runtime that is installed and starts quickly: Node 22 always; 22.13, 24 and 26, Deno and Bun once
 * `make runtimes` has installed them into .cache/; Chromium where Debian's is installed. `make runtimes` runs all of them, Firefox
 * and workerd too, and fails if one is missing; `make bundlers` does the same for bundlers. Needs the built dist/ (`make build`).
 *
 * gradus promises that load({ reproducible: true }) gives the same bits everywhere, because WebAssembly without relaxed SIMD is fixed to the bit. It
 * does not promise this for the JS backend: its arithmetic is fixed too, but Math.exp and similar functions may differ by engine. Its weights came
 * out equal on every engine so far (the last bit of a double mostly disappears in a float), so they are only printed.
 */
import { existsSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Generator } from '../../ts/index.js'
import { BROWSERS, PAGES, visit } from '../runtimes/browser.js'
import { makeProject, run } from '../runtimes/consumer.js'
import { FULL, failure, faults, type Report } from '../runtimes/report.js'
import { expectedOf, isInstalled, PROGRAMS, RUNTIMES } from '../runtimes/runtimes.js'
import { cases } from '../tools/nightly.js'
import { killPages } from '../tools/page-kills.js'

let project: ReturnType<typeof makeProject>
let reference: Report

beforeAll(async () => {
  if (!existsSync('dist/index.js')) throw new Error('dist/ is not built; run make build')
  project = makeProject('.', PROGRAMS)
  reference = (await RUNTIMES[0].run(project.folder))['']
})

afterAll(() => project?.remove())

describe('reproducible training gives the same bits in', () => {
  for (const runtime of RUNTIMES.filter(({ cheap }) => cheap)) {
    test.skipIf(!isInstalled(runtime))(runtime.title, async () => {
      const reports = runtime === RUNTIMES[0] ? { '': reference } : await runtime.run(project.folder)
      expect(
        Object.entries(reports).flatMap(([page, report]) =>
          faults(report, reference, expectedOf(runtime, page)).map((fault) => `${page}: ${fault}`),
        ),
      ).toEqual([])
    })
  }
})

describe('a training that another runtime began ends with the bits of one that was never stopped:', () => {
  interface Outcome {
    sha: string
    trained: number
    error?: string
  }
  const at = (name: string) => path.join(project.folder, name)
  const node = async (...args: string[]): Promise<Outcome> =>
    JSON.parse(await run(process.execPath, ['resume-main.mjs', ...args], { cwd: project.folder }))
  const named = (name: string) => RUNTIMES.find(({ title }) => title === name) as (typeof RUNTIMES)[number]
  const [deno, bun] = ['Deno', 'Bun'].map(named)
  const allowed = ['--allow-read', '--allow-write', '--allow-env', '--allow-sys']
  const others: Record<string, (...args: string[]) => Promise<Outcome>> = {
    Deno: async (...args) =>
      JSON.parse(
        await run(deno.file, ['run', '--no-prompt', '--quiet', ...allowed, 'resume-main.mjs', ...args], {
          cwd: project.folder,
          env: { DENO_NO_UPDATE_CHECK: '1' },
        }),
      ),
    Bun: async (...args) =>
      JSON.parse(await run(bun.file, ['run', 'resume-main.mjs', ...args], { cwd: project.folder, env: { DO_NOT_TRACK: '1' } })),
  }
  let never: Outcome

  beforeAll(async () => {
    never = await node('10', 'never.safetensors')
    expect(await node('3', 'begun.safetensors')).toMatchObject({ trained: 3 })
    expect(never.trained).toBe(10)
  })

  for (const { title } of [deno, bun])
    test.skipIf(!isInstalled(named(title)))(`fault 14: in ${title}, and in Node again`, async () => {
      expect(await others[title]('10', `in-${title}.safetensors`, 'begun.safetensors')).toEqual({ sha: never.sha, trained: 7 })
      expect(await others[title]('7', `half-${title}.safetensors`, 'begun.safetensors')).toMatchObject({ trained: 4 })
      expect(await node('10', `end-${title}.safetensors`, `half-${title}.safetensors`)).toEqual({ sha: never.sha, trained: 3 })
    })

  for (const browser of ['chromium', 'firefox'] as const)
    test.skipIf(!existsSync(BROWSERS[browser].command))(
      `fault 14: in ${BROWSERS[browser].title}, which saves in its database, in another page there, and in Node and Deno again`,
      async () => {
        const roots = { '/fixtures/': path.resolve('test/runtimes'), '/gradus/': path.resolve('dist'), '/made/': project.folder }
        const pages = ['resume', 'resume-again'].map((name) => ({ name, url: `/fixtures/page.html?page=${name}` }))
        const reports = (await visit(browser, pages, roots)) as unknown as Record<string, Outcome & { file: string }>
        const [first, second] = pages.map(({ name }) => reports[name])
        expect([first.error, first.trained, second.error, second.trained]).toEqual([undefined, 3, undefined, 2])
        const file = `of-${browser}.safetensors`
        writeFileSync(at(file), Buffer.from(second.file, 'base64'))
        expect(await node('10', 'end.safetensors', file)).toEqual({ sha: never.sha, trained: 2 })
        if (isInstalled(deno)) expect(await others.Deno('10', 'end-2.safetensors', file)).toEqual({ sha: never.sha, trained: 2 })
      },
    )
})

for (const browser of ['chromium', 'firefox'] as const)
  test.skipIf(!existsSync(BROWSERS[browser].command))(
    `fault 13: ${BROWSERS[browser].title}, killed while a page saves, loses no file: a short form of \`make page-kills\``,
    async () => {
      const random = new Generator(1)
      const kills = cases(10)
      const report = await killPages(browser, kills, () => random.next())
      expect(report).toMatchObject({ kills, lost: [] })
      expect(report.saved).toBeGreaterThan(2)
    },
  )

describe('a long table is read ahead by a worker, and by the thread of the net where there is none, with the same bits in', () => {
  type Read = Record<'ahead' | 'alone', { rows: number; blocks: number; weights: string }> & { error?: string }
  let node: Read
  const readBy = async (command: string, args: string[], env?: Record<string, string>): Promise<Read> =>
    JSON.parse(await run(command, [...args, 'stream-main.mjs'], { cwd: project.folder, ...(env && { env }) }))
  beforeAll(async () => {
    node = await readBy(process.execPath, [])
  })
  const check = ({ ahead, alone, error }: Read, hasWorker = true) => {
    expect(error).toBeUndefined()
    expect([ahead.blocks > 0, alone.blocks]).toEqual([hasWorker, 0])
    for (const one of [ahead, alone]) expect([one.rows, one.weights]).toEqual([node.alone.rows, node.alone.weights])
  }

  test('Node', () => check(node))

  const deno = RUNTIMES.find(({ title }) => title === 'Deno') as (typeof RUNTIMES)[number]
  test.skipIf(!isInstalled(deno))('Deno', async () => {
    check(await readBy(deno.file, ['run', '--no-prompt', '--quiet'], { DENO_NO_UPDATE_CHECK: '1' }))
  })

  for (const browser of ['chromium', 'firefox'] as const)
    test.skipIf(!existsSync(BROWSERS[browser].command))(`${BROWSERS[browser].title}, also where a policy forbids workers`, async () => {
      const roots = { '/fixtures/': path.resolve('test/runtimes'), '/gradus/': path.resolve('dist') }
      const url = '/fixtures/stream.html?page='
      const csp = "default-src 'self'; script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'"
      const pages = [
        { name: 'usual', url: `${url}usual` },
        { name: 'forbidden', url: `${url}forbidden`, csp },
      ]
      const { usual, forbidden } = (await visit(browser, pages, roots)) as unknown as Record<string, Read>
      check(usual)
      check(forbidden, false)
    })
})

describe('where compiling is forbidden', () => {
  const FORBID = "WebAssembly.Module = function () { throw new WebAssembly.CompileError('blocked by a policy') }"
  const script = (body: string) =>
    run(process.execPath, ['--input-type=module', '--eval', `${FORBID}\nconst gradus = await import('gradus')\n${body}`], {
      cwd: project.folder,
    })

  test('JavaScript takes over, with or without load(), and one warning says why', async () => {
    const body = (use: string) => `
      const warnings = []
      console.warn = (text) => warnings.push(text)
      ${use}
      await gradus.load()
      console.log(JSON.stringify([gradus.defaultBackend().name, (await import('gradus/debug')).supportedVariants(), gradus.tensor([1, 2]).data()[1], warnings]))`
    for (const use of ['', 'gradus.zeros([2])']) {
      const [name, variants, value, warnings] = JSON.parse(await script(body(use)))
      expect([name, variants, value]).toEqual(['js', [], 2])
      expect(warnings).toHaveLength(1)
      expect(warnings[0]).toMatch(/blocked by a policy.*'wasm-unsafe-eval'.*gradus\/js/)
    }
  })

  test('asking for WebAssembly by name is an error that says why', async () => {
    const body = (options: string) => `await gradus.load(${options}).catch((error) => console.log(error.message))`
    for (const options of ["{ backend: 'wasm' }", "{ variant: 'simd', reproducible: true }"]) {
      expect(await script(body(options))).toMatch(/cannot run the WebAssembly variant 'simd' \(.*blocked by a policy\)/)
    }
  })
})

test('gradus/js, as it is installed, has one thread', async () => {
  const body = `
    const { load } = await import('gradus/js')
    const threads = [(await load()).threads, (await load({ threads: 'auto' })).threads]
    await load({ threads: 2 }).catch((error) => console.log(JSON.stringify([threads, error.name, error.message])))`
  const output = await run(process.execPath, ['--input-type=module', '--eval', body], { cwd: project.folder })
  expect(JSON.parse(output)).toEqual([[1, 1], 'RangeError', expect.stringMatching(/threads are for WebAssembly.*got 2$/)])
})

describe('faults', () => {
  test('finds what a runtime may get wrong', () => {
    const { chosen } = reference
    expect(faults(reference, reference)).toEqual([])
    expect(faults(failure('no report'), reference)).toEqual(['no report'])
    expect(faults({ ...reference, chosen: { ...chosen, hash: '0' } }, reference)).toHaveLength(1)
    expect(faults({ ...reference, chosen: { ...chosen, variant: 'relaxed' } }, reference)).toHaveLength(1)
    expect(faults({ ...reference, js: { ...reference.js, last: 1 } }, reference)).toHaveLength(1)
    expect(faults({ ...reference, repeats: false }, reference)).toHaveLength(1)
    expect(faults({ ...reference, warnings: ['x'] }, reference)).toHaveLength(1)
    const { threads } = reference
    expect(faults({ ...reference, threads: threads.map((one) => ({ ...one, count: 1 })) }, reference)).toHaveLength(1)
    expect(faults({ ...reference, threads: threads.map((one) => ({ ...one, hash: '0' })) }, reference)).toHaveLength(1)
    expect(faults(reference, reference, { threads: 'all', warnings: ['x'] })).toHaveLength(1)
    expect(faults(reference, reference, PAGES['csp-strict'].expected)).not.toEqual([])
    expect(faults({ ...reference, document: true }, reference, { ...FULL, worker: true })).toHaveLength(1)
  })
})
