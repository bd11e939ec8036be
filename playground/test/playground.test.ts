/** The built page in real browsers: `make play-build browsers` first. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { PNG } from 'pngjs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { NIGHTLY } from '../../test/tools/nightly'
import { LESSONS } from '../src/lessons'
import { decodeLink, encodeLink } from '../src/link'
import type { Change } from '../src/train/config'
import { run } from '../src/train/state'
import { type BrowserName, launch } from './browsers'
import { serve } from './serve'

const DIST = fileURLToPath(new URL('../dist', import.meta.url))
const TABS = ['Descent', 'Train', 'Schedules', 'A thousand nets', 'Pictures', 'Sequences', 'Benchmark']

/** Milliseconds after which something is considered to hang, however busy the machine is; it usually takes one to ten seconds. */
const HANGS = Number(process.env.HANGS ?? 400_000)
const until = (page: Page, what: string) =>
  page.waitForFunction(what).catch(async (cause) => {
    throw new Error(`${what} did not come; the page says: ${await page.locator('main').textContent()}`, { cause })
  })
/** A page of its own that waits as long as it takes. */
async function newPage(browser: Browser, options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options })
  // With the settings open, as the browser remembers them.
  await context.addInitScript(() => location.protocol === 'http:' && localStorage.setItem('settings', 'open'))
  context.setDefaultTimeout(HANGS)
  return context.newPage()
}
function watchErrors(page: Page, errors: string[], allowed: RegExp = /^$/): void {
  page.on('console', (message) => {
    if (message.type() === 'error' && !allowed.test(message.text())) errors.push(message.text())
  })
  page.on('pageerror', (error) => errors.push(error.message))
}
/** Opens a tab and waits until it is there. */
async function openTab(page: Page, title: string): Promise<void> {
  const button = page.getByRole('navigation').getByRole('button', { name: title, exact: true })
  await button.click()
  await page.locator(`${SHOWS[title]} >> nth=0`).waitFor()
  expect(await button.getAttribute('aria-current')).toBe('page')
}
/** What a tab shows once it is there. */
const SHOWS: Record<string, string> = {
  Lecture: '.lecture section[aria-current]',
  Descent: '.results tbody tr',
  Train: '.net-picture',
  Schedules: 'tbody tr',
  'A thousand nets': '.fleet-map',
  Pictures: '.pictures canvas',
  Sequences: '.gates canvas',
  Benchmark: '.page',
}
const weights = async (page: Page) => /step: (\w{16})/.exec((await page.locator('.stage').textContent()) ?? '')?.[1]

/** The settings that were changed during training, according to the address. */
const changes = async (page: Page) => (decodeLink(new URL(page.url()).hash).changes.changes ?? []) as Change[]

describe.each<BrowserName>(['chromium', 'firefox'])('in %s', (name) => {
  let browser: Browser
  let site: Awaited<ReturnType<typeof serve>>
  let isolated: Awaited<ReturnType<typeof serve>>
  let withoutWasm: Awaited<ReturnType<typeof serve>>

  beforeAll(async () => {
    browser = await launch(name)
    site = await serve(DIST)
    isolated = await serve(DIST, { isolated: true })
    withoutWasm = await serve(DIST, { wasm: false })
  })
  afterAll(async () => {
    await browser?.close()
    await Promise.all([site, isolated, withoutWasm].map((server) => server?.close()))
  })

  /** A page of its own, closed at the end; errors on it fail the test. */
  async function on(url: string, use: (page: Page) => Promise<void>, allowed: RegExp = /^$/): Promise<void> {
    const page = await newPage(browser)
    const errors: string[] = []
    watchErrors(page, errors, allowed)
    try {
      await page.goto(url)
      await use(page)
    } catch (error) {
      throw errors.length > 0 ? new Error(`the page said: ${errors.join('; ')}`, { cause: error }) : error
    } finally {
      await page.context().close()
    }
    expect(errors).toEqual([])
  }

  /** A page for many tests: each opens its address in it, as a link does, which takes a fraction of a page of its own. */
  let shared: { page: Page; errors: string[] } | undefined
  async function within(hash: string, use: (page: Page) => Promise<void>): Promise<void> {
    if (!shared) {
      shared = { page: await newPage(browser), errors: [] }
      watchErrors(shared.page, shared.errors)
      await shared.page.goto(`${site.url}#benchmark`)
    }
    const { page, errors } = shared
    await page.mouse.move(0, 0)
    // By way of another tab, so that the same address is opened anew.
    await page.evaluate(() => {
      location.hash = '#benchmark'
    })
    await page.locator('.page').waitFor()
    await page.evaluate((to) => {
      scrollTo(0, 0)
      location.hash = to
    }, `#${hash}`)
    await page.locator('.page').waitFor({ state: 'detached' })
    await use(page)
    expect(errors).toEqual([])
  }

  /** For tests of the page alone: Chromium by day, both at night. The others try what browsers differ in: bits, workers, policies, pointers. */
  const once = test.runIf(name === 'chromium' || NIGHTLY)

  test.each([
    ['shared with no other origin', () => isolated],
    ['as any host serves it', () => site],
  ])('every tab loads, %s', async (_, server) => {
    await on(server().url, async (page) => {
      for (const title of TABS) await openTab(page, title)
    })
  })

  test('a race runs to the minimum', async () => {
    await on(`${site.url}#${encodeLink('descent', { speed: 200 }, {})}`, async (page) => {
      await until(page, `[...document.querySelectorAll('.results tbody tr')].some((row) => /Momentum.*minimum/.test(row.textContent))`)
      const [now] = await page.locator('.playback output').allTextContents()
      expect(now).toMatch(/^\d+ \/ 200$/)
    })
  })

  once('a formula that is typed is raced on, and a wrong one is named', async () => {
    await within(encodeLink('descent', { speed: 500 }, {}), async (page) => {
      await page.locator('.map').hover()
      await until(page, `/f = /.test(document.querySelector('.verdict').textContent)`)
      await page.getByLabel('Function', { exact: true }).selectOption('own')
      // The message about a place belonged to the other function, and is gone.
      await until(page, `/Drag the start/.test(document.querySelector('.verdict').textContent)`)
      await page.getByLabel('f(x, y) =').fill('4*(x - 1)^2 + 4*(y + 1)^2')
      await until(page, `/minimum/.test(document.querySelector('.results tbody')?.textContent ?? '')`)
      // The lowest value is that of the minimum where a racer came to rest.
      await until(page, `[...document.querySelectorAll('.results tbody tr')].some((row) => Number(row.cells[2].textContent) > 0)`)
      await page.getByLabel('f(x, y) =').fill('x^2 + q')
      await page.getByRole('alert').waitFor()
      expect(await page.getByRole('alert').textContent()).toMatch(/unknown: q/)
    })
  })

  once('each at its best rate, and an optimizer that is fetched when it is chosen', async () => {
    await within('descent', async (page) => {
      const caption = page.locator('.results caption').first()
      await page.locator('.results tbody tr').nth(3).waitFor()
      expect(await caption.textContent()).toContain('at its best rate')
      await page.getByLabel('Learning rate').first().press('ArrowLeft')
      await until(page, `!/best/.test(document.querySelector('.results caption').textContent)`)
      await page.getByRole('button', { name: 'Each at its best rate' }).click()
      await until(page, `/best/.test(document.querySelector('.results caption').textContent)`)
      expect(await page.getByLabel('Learning rate').first().getAttribute('aria-valuetext')).toBe('0.032')
      await page.getByLabel('Add an optimizer').selectOption('Lion')
      await until(page, `/Lion/.test(document.querySelector('.results tbody tr:nth-child(5)')?.textContent ?? '')`)
      await page.getByLabel('Function', { exact: true }).selectOption('rosenbrock')
      await until(page, `/best/.test(document.querySelector('.results caption').textContent)`)
    })
  })

  once('every start is painted, its rate repaints it, a click starts there, and a step is taken apart', async () => {
    await within('descent', async (page) => {
      await page.getByLabel('Function', { exact: true }).selectOption('himmelblau')
      expect(site.asked.some((path) => /\/starts-/.test(path))).toBe(false)
      await page.getByLabel('Every start').check()
      const says = `(document.querySelector('.every-start .says')?.textContent ?? '')`
      await until(page, `/from 1[12]\\d,\\d+ starts: \\d+ % to /.test${says}`)
      const before = await page.locator('.every-start .says').textContent()
      await page.getByLabel('Its learning rate').press('ArrowRight')
      await until(page, `${says} !== ${JSON.stringify(before)} && /from 1[12]\\d,/.test${says}`)
      const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Save picture' }).click()])
      expect(download.suggestedFilename()).toBe('every-start.png')
      const { width, height } = PNG.sync.read(readFileSync(await download.path()))
      const shown = await page.locator('canvas.map').evaluate((map: HTMLCanvasElement) => [map.width, map.height])
      expect(width).toBe(shown[0])
      expect(height).toBeGreaterThan(shown[1] + 60)
      const box = (await page.locator('.map').boundingBox())!
      // The path from the place that is pointed at, in white.
      const white = () =>
        page.evaluate(() => {
          const canvas = document.querySelector('canvas.map, .map canvas') as HTMLCanvasElement
          const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height)
          let count = 0
          for (let i = 0; i < data.length; i += 4) if (Math.min(data[i], data[i + 1], data[i + 2]) > 250) count++
          return count
        })
      const plain = await white()
      await page.mouse.move(box.x + 0.3 * box.width, box.y + 0.3 * box.height)
      await expect.poll(white, { timeout: HANGS }).toBeGreaterThan(plain + 10)
      await page.mouse.down()
      await page.mouse.up()
      await until(
        page,
        `/"start":\\[-[1-9]/.test(decodeURIComponent(atob(location.hash.split('/')[1].replaceAll('-', '+').replaceAll('_', '/'))))`,
      )
      const { start } = decodeLink(new URL(page.url()).hash).changes as { start: [number, number] }
      expect(start[0]).toBeLessThan(-1)
      expect(start[1]).toBeGreaterThan(1)
      await until(page, `/θ ← θ \\+ step/.test(document.querySelector('.anatomy')?.textContent ?? '')`)
    })
  })

  once('how fair a race is: a dot is dragged along its curve, and a click on the map of rate and β races there', async () => {
    await within('descent', async (page) => {
      expect(site.asked.some((path) => /\/fair-panel-/.test(path))).toBe(false)
      await page.getByText('How fair is this race?').click()
      const curves = page.locator('.curves-of-rates')
      await curves.waitFor()
      await until(page, `/Soonest: \\d+ steps/.test(document.querySelector('.fair').textContent)`)
      const map = (await page.locator('.regimes').boundingBox())!
      await page.locator('.regimes').scrollIntoViewIfNeeded()
      await page.locator('.regimes').click({ position: { x: 0.55 * map.width, y: 0.6 * map.height } })
      const racers = () =>
        decodeLink(new URL(page.url()).hash).changes.racers as { method: string; rate: number; options: { beta?: number } }[]
      await expect.poll(() => racers()?.[1].options.beta, { timeout: HANGS }).toBeGreaterThan(0)
      await curves.scrollIntoViewIfNeeded()
      // The dot of gradient descent, from where it is told by the label on to the left.
      const box = (await curves.boundingBox())!
      const dots = await page.evaluate(() => {
        const canvas = document.querySelector('.curves-of-rates') as HTMLCanvasElement
        const { data, width } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height)
        // the middle of the largest patch of the color of gradient descent
        const [r, g, b] = [0, 114, 178]
        let best = { x: 0, y: 0, count: 0 }
        for (let y = 8; y < canvas.height - 8; y += 2)
          for (let x = 8; x < width - 8; x += 2) {
            let count = 0
            for (let dy = -6; dy <= 6; dy += 3)
              for (let dx = -6; dx <= 6; dx += 3) {
                const i = 4 * ((y + dy) * width + x + dx)
                if (Math.abs(data[i] - r) + Math.abs(data[i + 1] - g) + Math.abs(data[i + 2] - b) < 12) count++
              }
            if (count > best.count) best = { x, y, count }
          }
        return best
      })
      expect(dots.count).toBeGreaterThan(15)
      await page.mouse.move(box.x + dots.x, box.y + dots.y)
      await page.mouse.down()
      await page.mouse.move(box.x + dots.x - 60, box.y + dots.y, { steps: 4 })
      await page.mouse.up()
      await expect.poll(() => racers()?.[0].rate, { timeout: HANGS }).toBeLessThan(0.03)
      await page.getByRole('button', { name: 'Each at its best', exact: true }).click()
      await expect.poll(() => racers()?.[0].rate, { timeout: HANGS }).toBe(0.032)
    })
  })

  once('a step in slow motion goes through its parts, and on to the next step', async () => {
    await within('descent', async (page) => {
      await page.getByLabel('Optimizer whose step is shown').selectOption({ label: 'RMSProp' })
      await page.getByRole('button', { name: 'Slow motion' }).click()
      await until(page, `/^Gradient/.test(document.querySelector('.anatomy .shown')?.textContent ?? '')`)
      await until(page, `/^Mean square/.test(document.querySelector('.anatomy .shown')?.textContent ?? '')`)
      const step = async () => Number(/Step (\d+)/.exec((await page.locator('.anatomy caption').textContent()) ?? '')?.[1])
      const first = await step()
      await expect.poll(step, { timeout: HANGS }).toBe(first + 1)
      await page.getByRole('button', { name: 'Stop' }).click()
      await page.getByRole('button', { name: 'Play', exact: true }).click()
      await until(page, `document.querySelector('.anatomy .shown') === null`)
    })
  })

  once('the X-ray of a run comes when it is asked for, leaves the weights as they are, and names what is wrong', async () => {
    // Standing still: a picture that was under way when it paused would be of a later step.
    await within(encodeLink('lesson-25', { at: 200, isPlaying: false }, {}), async (page) => {
      await until(page, `/rate is too small/.test(document.querySelector('.findings')?.textContent ?? '')`)
      await page.getByLabel('its net is shown').nth(1).check()
      await until(page, `/rate is too large/.test(document.querySelector('.findings')?.textContent ?? '')`)
      const seen = await weights(page)
      expect(seen).toMatch(/^\w{16}$/)
      await page.getByLabel('X-ray').uncheck()
      await until(page, `document.querySelector('.findings') === null && document.querySelector('#rewind').value === '200'`)
      await page.waitForTimeout(300)
      expect(await weights(page)).toBe(seen)
    })
  })

  once('a key that chooses an optimizer leaves the focus where it is', async () => {
    await within('descent', async (page) => {
      const choice = page.getByLabel('Optimizer 1', { exact: true })
      await choice.focus()
      for (const _ of [1, 2]) await page.keyboard.press('ArrowDown')
      expect(await choice.inputValue()).toBe('Nesterov')
      await page.keyboard.press('Tab')
      await page.keyboard.press('Tab')
      expect(await page.evaluate('document.activeElement.type')).toBe('range')
    })
  })

  test('each press of a key moves a logarithmic slider', async () => {
    await within(encodeLink('descent', { racers: [{ method: 'SGD', rate: 0.02, options: {} }], steps: 10 }, {}), async (page) => {
      const slider = page.getByLabel('Learning rate').first()
      const seen = new Set<string>()
      for (let i = 0; i < 13; i++) {
        await slider.press(i < 12 ? 'ArrowRight' : 'ArrowLeft')
        seen.add((await slider.getAttribute('aria-valuetext')) ?? '')
      }
      expect(seen.size).toBe(12)
    })
  })

  once('a net learns the moons', async () => {
    await within(encodeLink('train', { speed: 1000 }, {}), async (page) => {
      await until(page, `[...document.querySelectorAll('.results tbody tr')].some((row) => parseFloat(row.cells[3]?.textContent) >= 95)`)
    })
  })

  once('a dropped table trains', async () => {
    await within('train', async (page) => {
      await page.locator('.net-picture').waitFor()
      const csv = readFileSync(new URL('../../docs/guide/penguins.csv', import.meta.url), 'utf8')
      const rows = csv.trim().split('\n')
      const names = rows[0].split(',')
      const kept = names.flatMap((title, i) => (/bill|flipper|mass|species/i.test(title) ? [i] : []))
      const small = rows
        .map((row) => kept.map((i) => row.split(',')[i]).join(','))
        .filter((row) => !/,,|^,|,$|NA/.test(row))
        .join('\n')
      await page.evaluate((text) => {
        const transfer = new DataTransfer()
        transfer.items.add(new File([text], 'penguins.csv', { type: 'text/csv' }))
        document.querySelector('.tab')!.dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true }))
      }, small)
      await expect.poll(() => new URL(page.url()).hash, { timeout: HANGS }).toContain('train/')
      expect(decodeLink(new URL(page.url()).hash).changes).not.toHaveProperty('csv')
      await page.getByLabel('Class to predict').selectOption('species')
      await until(page, `[...document.querySelectorAll('.results tbody tr')].some((row) => parseFloat(row.cells[3]?.textContent) >= 90)`)
      // The map shows the first two columns of numbers, until others are chosen; the training goes on.
      const legend = (columns: string) => until(page, `/the map shows ${columns} \\(/.test(document.querySelector('.legend').textContent)`)
      const [first, second, third] = await page.getByLabel('Map across').locator('option').allTextContents()
      await legend(`${first} and \\w+`)
      const step = Number(await page.locator('.rewind output').textContent())
      await page.getByLabel('Map across').selectOption(third)
      await legend(`${third} and \\w+`)
      expect(Number(await page.locator('.rewind output').textContent())).toBeGreaterThanOrEqual(step)
      expect(decodeLink(new URL(page.url()).hash).tab).toBe('train')
      expect(second).not.toBe(first)
    })
  })

  test('a shared link restores the same bits, and rewinding gives them again', async () => {
    const state = {
      runs: [
        { method: 'Adam', rate: 0.02, options: {}, batch: 16, schedule: { kind: 'constant', steps: 500, factor: 0.5, threshold: 0.01 } },
      ],
      at: 120,
      isPlaying: false,
    }
    const link = `#${encodeLink('train', state, {})}`
    let first: string | undefined
    await on(site.url + link, async (page) => {
      await until(page, `/step: \\w{16}/.test(document.querySelector('.stage')?.textContent ?? '')`)
      first = await weights(page)
      // One step forward, and back to step 120.
      await page.getByRole('button', { name: '+1 step', exact: true }).click()
      await until(page, `document.querySelector('.rewind output').textContent === '121'`)
      expect(await weights(page)).not.toBe(first)
      await page.locator('#rewind').evaluate((input: HTMLInputElement) => {
        input.value = '120'
        input.dispatchEvent(new Event('change', { bubbles: true }))
      })
      await page.waitForFunction((bits) => document.querySelector('.stage')?.textContent?.includes(`step: ${bits}`), first)
    })
    expect(first).toMatch(/^\w{16}$/)
    await on(isolated.url + link, async (page) => {
      await until(page, `/step: \\w{16}/.test(document.querySelector('.stage')?.textContent ?? '')`)
      expect(await weights(page)).toBe(first)
    })
    sharedBits.add(first)
    expect(sharedBits.size).toBe(1)
  })

  test('what is turned while it trains is marked, and rewinding gives the same bits', async () => {
    await within(encodeLink('train', { speed: 100 }, {}), async (page) => {
      await until(page, `Number(document.querySelector('.rewind output')?.textContent) > 30`)
      // One mark for a drag, however many places it goes over.
      await page.getByLabel('Learning rate').first().scrollIntoViewIfNeeded()
      const slider = (await page.getByLabel('Learning rate').first().boundingBox())!
      const height = slider.y + slider.height / 2
      await page.mouse.move(slider.x + 0.7 * slider.width, height)
      await page.mouse.down()
      for (const share of [0.65, 0.6, 0.55, 0.5, 0.45]) {
        await page.mouse.move(slider.x + share * slider.width, height)
        await page.waitForTimeout(60)
      }
      expect(await changes(page)).toHaveLength(0)
      await page.mouse.up()
      await expect.poll(() => changes(page), { timeout: HANGS }).toHaveLength(1)
      expect((await changes(page))[0].rate).toBeLessThan(0.02)
      await page.getByLabel('Schedule').nth(1).selectOption('cosine')
      const turned = Number(await page.locator('.rewind output').textContent())
      expect(turned).toBeGreaterThan(30)
      await until(page, `Number(document.querySelector('.rewind output')?.textContent) > ${turned + 20}`)
      await page.getByRole('button', { name: 'Pause' }).click()
      // It has stopped once it is where it was a second ago.
      const place = async () => [await page.locator('.rewind output').textContent(), await weights(page)] as const
      let [step, bits] = ['', '' as string | undefined]
      await expect
        .poll(
          async () => {
            const before = step
            ;[step, bits] = (await place()) as [string, string]
            return before === step
          },
          { timeout: HANGS, interval: 400 },
        )
        .toBe(true)
      const rewind = (to: string) =>
        page.locator('#rewind').evaluate((input: HTMLInputElement, value) => {
          input.value = value
          input.dispatchEvent(new Event('change', { bubbles: true }))
        }, to)
      await rewind('5')
      await until(page, `document.querySelector('.rewind output').textContent === '5'`)
      await page.waitForTimeout(300)
      await rewind(step)
      await page.waitForFunction((same) => document.querySelector('.stage')?.textContent?.includes(`step: ${same}`), bits)
    })
  })

  test('without WebAssembly it trains in plain JavaScript', async () => {
    const allowed = /WebAssembly|Content.Security.Policy|wasm/i
    await on(
      `${withoutWasm.url}#train`,
      async (page) => {
        // The policy forbids `eval` as well, with which other tests wait for conditions.
        await page.getByText('Runs in plain JavaScript').waitFor()
        await page.getByText('Weights of this step').waitFor()
        expect(await page.locator('.stage').textContent()).not.toContain('the same in every browser')
        await expect.poll(async () => Number(await page.locator('.rewind output').textContent()), { timeout: HANGS }).toBeGreaterThan(20)
      },
      allowed,
    )
  })

  once('a thousand nets, and which hyper-parameter mattered', async () => {
    await within(encodeLink('fleet', { steps: 60 }, {}), async (page) => {
      await until(page, `/^1,024/.test(document.querySelector('.count')?.textContent ?? '')`)
      console.log(`${name}: ${await page.locator('.count').textContent()}`)
      const map = page.locator('.fleet-map')
      await map.focus()
      await map.press('ArrowLeft')
      await until(page, `/^Here: Learning rate/.test(document.querySelector('.verdict').textContent)`)
      const left = await page.locator('.verdict').textContent()
      await map.press('ArrowDown')
      await expect.poll(() => page.locator('.verdict').textContent()).not.toBe(left)
      await page.getByRole('button', { name: 'Find out' }).click()
      await until(page, `document.querySelectorAll('.importance tr').length === 7`)
      await until(page, `/^Best/.test(document.querySelector('.verdict').textContent)`)
      expect(await page.locator('.importance tr').first().textContent()).toMatch(/Learning rate/)
      // A small map for each pair, which becomes the large one.
      await until(page, `document.querySelectorAll('.pairs button').length === 21`)
      await page.locator('.pairs tr:nth-child(2) button').nth(1).press('Enter')
      const named = (await page.locator('.pairs tr:nth-child(2) button').nth(1).getAttribute('aria-label'))!
      const [, x, y] = /^(.*) across, (.*) upwards$/.exec(named)!
      await expect.poll(() => page.locator('.fleet-map').getAttribute('aria-label'), { timeout: HANGS }).toContain(`by ${x} and ${y}`)
    })
  })

  once('schedules are drawn, and the finder suggests a rate', async () => {
    await within('schedules', async (page) => {
      await page.getByRole('button', { name: 'Find a learning rate' }).click()
      await until(page, `/Suggested: 0\\.|Suggested: \\d/.test(document.querySelector('.finder')?.textContent ?? '')`)
      await until(page, `[...document.querySelectorAll('tbody tr')].every((row) => row.cells[3].textContent !== '')`)
    })
  })

  once('the threshold of a plateau is dragged on the curve', async () => {
    const link = encodeLink('schedules', { choices: [{ kind: 'plateau', steps: 200, factor: 0.5, threshold: 0.01 }] }, {})
    await within(link, async (page) => {
      await until(page, `document.querySelector('tbody tr')?.cells[3].textContent !== ''`)
      const threshold = async () =>
        Number(/τ (\S+)/.exec((await page.getByRole('slider', { name: 'Threshold τ of' }).getAttribute('aria-valuetext')) ?? '')?.[1])
      const knob = page.getByRole('slider', { name: 'Threshold τ of' })
      expect(await threshold()).toBe(0.01)
      await knob.scrollIntoViewIfNeeded()
      const box = (await knob.boundingBox())!
      await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2)
      await page.mouse.down()
      await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2 + 12, { steps: 4 })
      const dragged = await threshold()
      expect(dragged).toBeGreaterThan(0.03)
      await page.mouse.up()
      const chosen = async () => (decodeLink(new URL(page.url()).hash).changes.choices as { threshold: number }[])[0].threshold
      await expect.poll(chosen, { timeout: HANGS }).toBe(dragged)
      await knob.press('ArrowUp')
      await expect.poll(chosen, { timeout: HANGS }).toBeLessThan(dragged)
    })
  })

  once('backpropagation and the noise of gradients are shown while a net trains', async () => {
    await within(encodeLink('train', { variance: true, backprop: true, speed: 20 }, {}), async (page) => {
      await until(page, `/16 rows by \\d/.test(document.querySelector('.noise')?.textContent ?? '')`)
      await until(page, `/^Forward to layer 2/.test(document.querySelector('.phase')?.textContent ?? '')`)
      for (let i = 0; i < 8 && !/^The step, by Adam/.test((await page.locator('.phase').textContent()) ?? ''); i++)
        await page.getByRole('button', { name: 'One phase on' }).click()
      expect(await page.locator('.phase').textContent()).toMatch(/^The step, by Adam/)
      await page.getByRole('button', { name: 'Pause' }).click()
    })
  })

  once('a unit is enlarged under the pointer, a weight is read and changed, and a rewind leaves the old curve as a ghost', async () => {
    const state = { hidden: [3], runs: [{ ...RUN, method: 'SGD', rate: 0.3 }], at: 40, isPlaying: false }
    await on(`${site.url}#${encodeLink('train', state, {})}`, async (page) => {
      await until(page, `/step: \\w{16}/.test(document.querySelector('.stage')?.textContent ?? '')`)
      const before = await weights(page)
      const box = (await page.locator('.net-picture').boundingBox())!
      // What answers the pointer is fetched when it first comes.
      await expect
        .poll(
          async () => {
            await page.mouse.move(box.x + box.width / 2 - 3, box.y + box.height / 2)
            await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2)
            return page.locator('.part').textContent()
          },
          { timeout: HANGS },
        )
        .toMatch(/Layer 1, unit 2/)
      await until(page, `/Layer 1, unit 2/.test(document.querySelector('.part').textContent)`)
      await page.mouse.click(box.x + 0.75 * box.width, box.y + box.height / 2)
      const field = page.getByRole('spinbutton', { name: 'Weight from unit 2 to output 1' })
      await field.fill('3')
      await field.press('Tab')
      await expect.poll(() => weights(page), { timeout: HANGS }).not.toBe(before)
      await expect
        .poll(() => changes(page), { timeout: HANGS })
        .toEqual([{ step: 40, run: 0, weights: [{ layer: 1, index: 1, value: 3 }] }])
      const edited = await weights(page)
      await page.reload()
      await until(page, `document.querySelector('.stage')?.textContent?.includes('step: ${edited}')`)
      await page.locator('#rewind').evaluate((input: HTMLInputElement) => {
        input.value = '10'
        input.dispatchEvent(new Event('change', { bubbles: true }))
      })
      await until(page, `document.querySelector('.rewind output')?.textContent === '10'`)
      await until(page, `/before: run 1/.test(document.querySelector('.results .chart canvas').getAttribute('aria-label'))`)
    })
  })

  test('points that are drawn are learned', async () => {
    await within(encodeLink('train', { data: 'drawn', points: [], speed: 1000 }, {}), async (page) => {
      await page.getByText('nothing to learn from yet').waitFor()
      const box = (await page.locator('.boundary').boundingBox())!
      for (const [i, name] of ['Draw class 0', 'Draw class 1'].entries()) {
        await page.getByText(name).click()
        const x = box.x + box.width * (0.2 + 0.5 * i)
        await page.mouse.move(x, box.y + 0.2 * box.height)
        await page.mouse.down()
        await page.mouse.move(x, box.y + 0.8 * box.height, { steps: 8 })
        await page.mouse.up()
      }
      await until(page, `[...document.querySelectorAll('.results tbody tr')].some((row) => parseFloat(row.cells[3]?.textContent) === 100)`)
      expect(await page.getByRole('alert').count()).toBe(0)
    })
  })

  once('a digit that is drawn is named', async () => {
    await within(encodeLink('train', { data: 'digits', hidden: [24], speed: 0 }, {}), async (page) => {
      await until(page, `Number(document.querySelector('.rewind output')?.textContent) > 150`)
      const box = (await page.locator('.digit-pad canvas').boundingBox())!
      await page.mouse.move(box.x + box.width / 2, box.y + box.height * 0.2)
      await page.mouse.down()
      await page.mouse.move(box.x + box.width / 2, box.y + box.height * 0.8, { steps: 8 })
      await page.mouse.up()
      await until(page, `/The net says \\d/.test(document.querySelector('.digit-pad').textContent)`)
    })
  })

  once('a net for pictures learns, lays its maps over a digit, finds a mistake, and names what is drawn', async () => {
    await within('pictures', async (page) => {
      const says = `(document.querySelector('.verdict')?.textContent ?? '')`
      await until(page, `/^A \\d among the test digits: the net says \\d/.test(${says})`)
      const caption = page.locator('.pictures figcaption').first()
      expect(await caption.textContent()).toMatch(/^Evidence for \d/)
      await page
        .locator('.pictures canvas')
        .nth(2)
        .hover({ position: { x: 10, y: 10 } })
      await expect.poll(() => caption.textContent(), { timeout: HANGS }).toMatch(/^Where the map/)
      await page.getByRole('button', { name: 'One that it gets wrong' }).click()
      await expect.poll(() => decodeLink(new URL(page.url()).hash).changes.digit as number, { timeout: HANGS }).toBeGreaterThan(0)
      await page.getByLabel('Evidence for', { exact: true }).selectOption('7')
      await until(page, `/The score of 7 is/.test(${says})`)
      const rectangle = async (part: string) => (await page.locator(`.pictures ~ .toolbar ${part}`).boundingBox())!
      const [label, select] = [await rectangle('label'), await rectangle('select')]
      expect(select.x).toBeGreaterThan(label.x + label.width)
      const box = (await page.locator('.digit-pad canvas').boundingBox())!
      await page.mouse.move(box.x + box.width / 2, box.y + box.height * 0.2)
      await page.mouse.down()
      await page.mouse.move(box.x + box.width / 2, box.y + box.height * 0.8, { steps: 4 })
      await page.mouse.up()
      await until(page, `/^What you drew/.test(${says}) && /The net says \\d/.test(document.querySelector('.digit-pad').textContent)`)
      await page.getByRole('button', { name: 'Next digit' }).click()
      await until(page, `/^A \\d among/.test(${says})`)
    })
  })

  once('a net for sequences learns to go on with a wave alone', async () => {
    await within(encodeLink('series', { speed: 0 }, {}), async (page) => {
      await until(page, `Number(/off by (\\S+)/.exec(document.querySelector('.verdict')?.textContent ?? '')?.[1]) < 0.3`)
      expect(await page.locator('.gates canvas').count()).toBe(2)
    })
  })

  once('the sharpness is drawn beside its limit, from the first step on', async () => {
    await within('lesson-27', async (page) => {
      await page.locator('#section-27').getByRole('button', { name: 'Just show me' }).click()
      await until(page, `/2\\/η of Gradient descent 1/.test(document.querySelector('.noise canvas')?.getAttribute('aria-label') ?? '')`)
      // by the keyboard: the page still moves below the pointer
      await page.getByLabel('How sharp is the loss?').press('Space')
      await until(page, `document.querySelector('.noise') === null`)
    })
  })

  once('paints at once and moves smoothly', async () => {
    const fresh = await newPage(browser)
    // Records when the playhead of the first race leaves step 0, in milliseconds since the page was requested.
    await fresh.addInitScript(() => {
      requestAnimationFrame(function look(now) {
        if (/^[1-9]/.test(document.querySelector('.playback output')?.textContent ?? '')) Object.assign(window, { firstMove: now })
        else requestAnimationFrame(look)
      })
    })
    await fresh.goto(site.url)
    await until(fresh, 'window.firstMove > 0')
    const paint = await fresh.evaluate(
      () =>
        new Promise<number>((resolve) => {
          new PerformanceObserver((list) => resolve(list.getEntries()[0].startTime)).observe({ type: 'paint', buffered: true })
        }),
    )
    console.log(`${name}: first paint ${Math.round(paint)} ms, first animation ${Math.round(await fresh.evaluate('window.firstMove'))} ms`)
    await fresh.context().close()
    const methods = ['SGD', 'Momentum', 'Nesterov', 'RMSProp', 'Adam', 'AdamW', 'Adagrad', 'Adadelta', 'NAdam', 'Lion']
    const racers = methods.map((method) => ({ method, rate: 0.05, options: {} }))
    const links = [
      ['ten optimizers race', encodeLink('descent', { racers, steps: 1000, speed: 100 }, {})],
      ['a net trains', encodeLink('train', { speed: 1000 }, {})],
    ]
    for (const [what, link] of links)
      await within(link, async (page) => {
        const frames = await framesPerSecond(page)
        console.log(`${name}: ${Math.round(frames)} frames a second while ${what}`)
        // a promise of 30 on a machine that is not busy; by day, frames came at all
        expect(frames).toBeGreaterThan(NIGHTLY ? 1 : 0)
      })
  })
})

/** Frames per second by the page's requestAnimationFrame: over two seconds at night, over three frames by day, just to see that it moves. */
function framesPerSecond(page: Page): Promise<number> {
  return page.evaluate(
    (long) =>
      new Promise<number>((resolve) => {
        let count = 0
        const start = performance.now()
        requestAnimationFrame(function tick(now) {
          count++
          if (long ? now - start < 2000 : count < 3) requestAnimationFrame(tick)
          else resolve(count / ((now - start) / 1000))
        })
      }),
    NIGHTLY,
  )
}

/** A run of the Train tab. */
const RUN = { options: {}, batch: 16, schedule: { kind: 'constant', steps: 500, factor: 0.5, threshold: 0.01 } }

/** The digests of weights from all browsers, which must be equal. */
const sharedBits = new Set<string | undefined>()

describe('in Chromium alone', () => {
  let browser: Browser
  let site: Awaited<ReturnType<typeof serve>>
  beforeAll(async () => {
    browser = await launch('chromium')
    site = await serve(DIST)
  })
  afterAll(async () => {
    await browser?.close()
    await site?.close()
  })

  test('the first view fetches what a race needs, and a tab the rest when it is opened', async () => {
    const fresh = await serve(DIST)
    const page = await newPage(browser)
    const parts = () => new Set(fresh.asked.flatMap((path) => /assets\/([a-z-]+)-[\w-]{8}\.js$/.exec(path)?.[1] ?? []))
    await page.goto(fresh.url)
    await page.locator('.results tbody tr').nth(3).waitFor()
    await page.locator('.anatomy tbody tr').first().waitFor()
    expect([...parts()].sort()).toEqual(['anatomy-table', 'controls', 'gradus', 'index', 'rolldown-runtime', 'wasm', 'worker'])
    for (const [title, part] of [
      ['Train', 'nets'],
      ['A thousand nets', 'wasm-fleet'],
    ]) {
      expect(parts()).not.toContain(part)
      await page.getByRole('navigation').getByRole('button', { name: title, exact: true }).click()
      await expect.poll(() => parts(), { timeout: HANGS }).toContain(part)
    }
    await page.context().close()
    await fresh.close()
  })

  test('axe finds nothing serious on any tab, light or dark', async () => {
    const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
    for (const colorScheme of ['light', 'dark'] as const) {
      // Without motion a net stands still, so that the rules have the machine to themselves.
      const page = await newPage(browser, { colorScheme, reducedMotion: 'reduce' })
      await page.goto(`${site.url}#lesson-1`)
      await page.evaluate(axe)
      for (const title of ['Lecture', ...TABS]) {
        await openTab(page, title)
        const found = await page.evaluate(async (isLight) => {
          type Found = { violations: { id: string; impact: string; nodes: { html: string }[] }[] }
          const { run } = (window as unknown as { axe: { run(options: object): Promise<Found> } }).axe
          // Dark pages differ in their colors alone.
          const { violations } = await run({ resultTypes: ['violations'], ...(!isLight && { runOnly: ['color-contrast'] }) })
          return violations
            .filter(({ impact }) => impact === 'serious' || impact === 'critical')
            .map(({ id, nodes }) => `${id}: ${nodes[0].html.slice(0, 120)}`)
        }, colorScheme === 'light')
        expect(found, `${title}, ${colorScheme}`).toEqual([])
      }
      await page.context().close()
    }
  })

  test('every tab fits a phone', async () => {
    const page = await newPage(browser, { viewport: { width: 390, height: 844 }, hasTouch: true })
    await page.goto(`${site.url}#lesson-1`)
    for (const title of TABS) {
      await openTab(page, title)
      const wide = await page.evaluate(() => {
        const nav = document.querySelector('nav')!
        const tooWide = nav.scrollWidth > nav.clientWidth || document.documentElement.scrollWidth > innerWidth ? ['tabs or page'] : []
        const [name, end] = [...document.querySelectorAll('h1, .header-end')].map((box) => box.getBoundingClientRect())
        return name.bottom < end.top || end.bottom < name.top ? [...tooWide, 'name and colours are not beside each other'] : tooWide
      })
      expect(wide, title).toEqual([])
    }
    await page.context().close()
  })

  test('every lesson opens, asks, says why, and keeps its address', async () => {
    const page = await newPage(browser)
    const errors: string[] = []
    page.on('pageerror', (error) => errors.push(error.message))
    await page.goto(`${site.url}#lesson-1`)
    const here = page.locator('.lecture section[aria-current]')
    for (const [i, { title, why, ask }] of LESSONS.entries()) {
      await expect.poll(() => here.locator('h2').textContent(), { timeout: HANGS }).toBe(`${i + 1}. ${title}`)
      expect(await page.getByLabel('Lesson', { exact: true }).locator('option:checked').textContent()).toBe(`${i + 1}. ${title}`)
      await expect.poll(() => new URL(page.url()).hash, { timeout: HANGS }).toBe(`#lesson-${i + 1}`)
      if (ask) {
        expect(await here.locator('.why').count()).toBe(0)
        await here.getByRole('button', { name: ask.answers[ask.right], exact: true }).click()
        expect(await here.locator('.ask .says').textContent()).toBe('Right.')
      }
      expect(await here.locator('.why').textContent()).toBe(why)
      if (i + 1 < LESSONS.length) await page.getByRole('button', { name: 'Next lesson' }).click()
    }
    expect(errors).toEqual([])
    await page.context().close()
  })

  test('the lecture plays when it has its answer, follows the scroll bar, turns what its words say, and Back leads back', async () => {
    const page = await newPage(browser)
    await page.goto(`${site.url}#lesson-17`)
    const title = page.locator('.lecture section[aria-current] h2')
    const hash = () => new URL(page.url()).hash
    const step = async () => Number((await page.locator('.playback output').textContent())?.split(' ')[0])
    await page.locator('.results tbody tr').first().waitFor({ state: 'attached' })
    await page.waitForTimeout(500)
    expect(await step()).toBe(0)
    expect(await page.locator('.results').isVisible()).toBe(false)
    await page.getByRole('button', { name: 'None of them' }).click()
    await expect.poll(step, { timeout: HANGS }).toBeGreaterThan(5)
    expect(await page.locator('.results').isVisible()).toBe(true)
    // Words of the text turn the noise up; the link stays the lesson's, with what was changed.
    await page.getByRole('button', { name: 'Turn the noise up to about 60' }).click()
    await expect.poll(hash, { timeout: HANGS }).toMatch(/^#lesson-17\/./)
    expect(decodeLink(hash()).changes).toEqual({ noise: 60 })
    await page.reload()
    await page.getByRole('button', { name: 'Put this lesson back as it was' }).click()
    await expect.poll(hash, { timeout: HANGS }).toBe('#lesson-17')
    // Words of another section open its lesson first, on its own tab.
    await page.getByRole('navigation').getByRole('button', { name: 'Lecture', exact: true }).click()
    await page.getByLabel('Lesson', { exact: true }).selectOption('7')
    await expect.poll(hash, { timeout: HANGS }).toBe('#lesson-8')
    await page
      .locator('#section-17')
      .getByRole('button', { name: 'Just show me' })
      .evaluate((button: HTMLElement) => button.click())
    await expect.poll(hash, { timeout: HANGS }).toBe('#lesson-17')
    await page.getByLabel('Lesson', { exact: true }).selectOption('7')
    await expect.poll(hash, { timeout: HANGS }).toBe('#lesson-8')
    await page
      .locator('#section-17')
      .getByRole('button', { name: 'Turn the noise' })
      .evaluate((button: HTMLElement) => button.click())
    await expect.poll(hash, { timeout: HANGS }).toMatch(/^#lesson-17\/./)
    expect(decodeLink(hash()).changes).toEqual({ noise: 60 })
    // Scrolling opens the section that one reads, as no entry of its own.
    await page.locator('#section-19').evaluate((section) => section.scrollIntoView({ block: 'start', behavior: 'instant' }))
    await expect.poll(() => title.textContent(), { timeout: HANGS }).toMatch(/^19\./)
    await expect.poll(hash, { timeout: HANGS }).toBe('#lesson-19')
    await page.getByRole('navigation').getByRole('button', { name: 'Train', exact: true }).click()
    await expect.poll(hash, { timeout: HANGS }).toMatch(/^#train/)
    await page.goBack()
    await expect.poll(() => title.textContent(), { timeout: HANGS }).toMatch(/^19\./)
    await page.context().close()
  })

  // Each control in the order of the keyboard, whatever the ones before have left: nothing may throw, and Tab has to come to an end.
  test.each([
    encodeLink('descent', { everyStart: true }, {}),
    encodeLink('descent', { view: 'surface' }, {}),
    encodeLink('train', { runs: [run('Adam'), run('SGD')] }, {}),
    encodeLink('train', { backprop: true, sharpness: true, runs: [run('Adam'), run('SGD')] }, {}),
    'schedules',
    'fleet',
    'pictures',
    'series',
  ])('every control answers to keys alone: %s', async (link) => {
    const errors: string[] = []
    const page = await newPage(browser, { viewport: { width: 1440, height: 900 } })
    page.on('pageerror', ({ message }) => errors.push(message))
    await page.goto(`${site.url}#${link}`)
    await page.locator('#settings').waitFor()
    await page.waitForTimeout(1500)
    const keys: Record<string, string[]> = {
      summary: ['Enter', 'Enter'],
      ...{ canvas: ['ArrowLeft', 'ArrowUp'], range: ['ArrowRight'], radio: ['ArrowRight'], 'select-one': ['ArrowDown'] },
      ...{ checkbox: ['Space'], button: ['Space'], text: ['1'] },
    }
    await page.locator('.header-end button').last().focus()
    const reached = async () => {
      await page.keyboard.press('Tab')
      return page.evaluate(() => {
        const it = document.activeElement as HTMLInputElement
        return it.closest('main') && (it.type || it.tagName.toLowerCase())
      })
    }
    let stops = 0
    for (let kind = await reached(); kind && stops < 100; kind = await reached(), stops++) {
      for (const key of keys[kind] ?? []) await page.keyboard.press(key)
      await page.waitForTimeout(150)
      expect(errors, `control ${stops}, ${kind}`).toEqual([])
    }
    expect(stops).toBeGreaterThan(8)
    expect(stops).toBeLessThan(100)
    await page.context().close()
  })

  test('keys reach the answers of the open lesson, which stays open on the way', async () => {
    const page = await newPage(browser, { viewport: { width: 1440, height: 900 } })
    await page.goto(`${site.url}#lesson-9`)
    await page.locator('#section-9 .answers button').first().waitFor()
    const open = () => page.locator('.lecture section[aria-current]').getAttribute('id')
    const focused = () => page.evaluate(() => document.activeElement?.closest('section')?.id ?? '')
    for (let presses = 0; presses < 60 && !(await focused()).startsWith('section'); presses++) {
      await page.keyboard.press('Tab')
      // Longer than the page takes to open the lesson to which it has scrolled.
      if (presses < 3) await page.waitForTimeout(500)
    }
    expect([await focused(), await open()]).toEqual(['section-9', 'section-9'])
    await page.keyboard.press('Enter')
    await page.locator('#section-9 .why').waitFor()
    expect(new URL(page.url()).hash).toMatch(/^#lesson-9/)
    await page.context().close()
  })

  test('Back leads back in the moment in which the page writes its address', async () => {
    const page = await newPage(browser)
    // The page writes its address half a second after a change: here by hand, between Back and the event that tells the page of it.
    await page.addInitScript(() => {
      const later = window.setTimeout
      const due: (() => void)[] = []
      window.setTimeout = ((f: () => void, delay: number, ...rest: unknown[]) =>
        delay === 500 ? due.push(f) : later(f, delay, ...rest)) as typeof setTimeout
      addEventListener('popstate', () => {
        for (const f of due.splice(0)) f()
      })
    })
    await page.goto(`${site.url}#lesson-4`)
    await page.locator('.lecture section[aria-current]').waitFor()
    await page.getByRole('navigation').getByRole('button', { name: 'Schedules', exact: true }).click()
    await page.waitForFunction(() => location.hash.startsWith('#schedules'))
    await page.goBack({ timeout: 20_000 })
    await expect.poll(() => page.locator('.lecture section[aria-current] h2').textContent(), { timeout: 20_000 }).toMatch(/^4\./)
    expect(new URL(page.url()).hash).toMatch(/^#lesson-4/)
    await page.context().close()
  })

  test('addresses of lessons that there are not lead to the last one, or to the first view', async () => {
    const page = await newPage(browser)
    const errors: string[] = []
    page.on('pageerror', (error) => errors.push(error.message))
    const last = new RegExp(`^${LESSONS.length}\\.`)
    const title = page.locator('.lecture section[aria-current] h2')
    await page.goto(`${site.url}#lesson-999`)
    await expect.poll(() => title.textContent(), { timeout: HANGS }).toMatch(last)
    for (const hash of ['lesson-0', 'lesson--1', 'lesson-1e3', 'lesson-__proto__']) {
      // A page that is opened there, and one that goes there.
      if (hash === 'lesson-0') {
        await page.goto('about:blank')
        await page.goto(`${site.url}#${hash}`)
        await page.locator('.map').waitFor()
      } else
        await page.evaluate((to) => {
          location.hash = to
        }, hash)
      expect(await page.locator('.lecture').count(), hash).toBe(0)
    }
    await page.evaluate(() => {
      location.hash = 'lesson-3/no-base64!'
    })
    await expect.poll(() => title.textContent(), { timeout: HANGS }).toMatch(/^3\./)
    await page.evaluate(() => {
      location.hash = 'lesson-999'
    })
    await expect.poll(() => title.textContent(), { timeout: HANGS }).toMatch(last)
    expect(errors).toEqual([])
    await page.context().close()
  })

  test('the picture comes first, settings wait behind one button, links lead out, and fingers have room', async () => {
    const context = await browser.newContext({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true })
    const page = await context.newPage()
    await page.goto(site.url)
    await page.locator('.results tbody tr').first().waitFor()
    expect(await page.locator('.controls').isVisible()).toBe(false)
    const order = await page.evaluate(() => {
      const at = (what: string) => [...document.querySelectorAll('*')].indexOf(document.querySelector(what)!)
      return [at('.map'), at('.playback'), at('.results'), at('.controls')]
    })
    expect(order).toEqual([...order].sort((a, b) => a - b))
    for (const title of [...TABS, 'Lecture']) {
      await openTab(page, title)
      if (await page.getByRole('button', { name: 'Settings', exact: true }).isVisible()) {
        await page.getByRole('button', { name: 'Settings', exact: true }).click()
        await page.locator('.controls').waitFor()
      }
      const small = await page.evaluate(() =>
        [...document.querySelectorAll('button, select, input:not(.hidden, .segments input), .ways a, .panel summary')].flatMap((one) => {
          // the label of a box is as good a target as the box
          const box = (one.closest('.toggle') ?? one).getBoundingClientRect()
          return box.height > 0 && box.height < 43.5 && !one.closest('.knob') ? [`${one.outerHTML.slice(0, 80)}: ${box.height}`] : []
        }),
      )
      expect(small, title).toEqual([])
      if (await page.getByRole('button', { name: 'Settings', exact: true }).isVisible())
        await page.getByRole('button', { name: 'Settings', exact: true }).click()
    }
    for (const name of ['Guides', 'Reference', 'Source'])
      expect(await page.locator('footer').getByRole('link', { name }).getAttribute('href')).toMatch(/^https:.*gradus/)
    await context.close()
  })

  test('who wants less motion sees where it ends, and nothing that runs', async () => {
    const page = await newPage(browser, { reducedMotion: 'reduce' })
    await page.goto(`${site.url}#train`)
    await until(page, `document.querySelector('.rewind output')?.textContent === '300'`)
    await page.waitForTimeout(600)
    expect(await page.locator('.rewind output').textContent()).toBe('300')
    await openTab(page, 'Sequences')
    await until(page, `/^600 steps/.test(document.querySelector('.count')?.textContent ?? '')`)
    await page.getByRole('navigation').getByRole('button', { name: 'Descent', exact: true }).click()
    await until(page, `document.querySelector('.playback output')?.textContent === '200 / 200'`)
    await page.context().close()
  })

  test('from a file the page says how to serve it', async () => {
    const page = await newPage(browser)
    await page.goto(pathToFileURL(`${DIST}/index.html`).href)
    expect(await page.locator('.still').textContent()).toMatch(/from a server, not from a file/)
    // It shows itself after three seconds.
    await page.evaluate(() => {
      for (const animation of document.getAnimations()) animation.finish()
    })
    expect(await page.locator('.still').evaluate((still) => getComputedStyle(still).opacity)).toBe('1')
    await page.goto(site.url)
    await page.locator('.map').waitFor()
    expect(await page.locator('.still').count()).toBe(0)
    await page.context().close()
  })

  test('copied programs do what the page does', async () => {
    const page = await newPage(browser, { permissions: ['clipboard-read', 'clipboard-write'] })
    const folder = fileURLToPath(new URL('../.copied', import.meta.url))
    mkdirSync(folder, { recursive: true })
    const open = async (link: string) => {
      // opened from another page, because within one page the page itself writes the earlier state into its address
      await page.goto('about:blank')
      await page.goto(`${site.url}#${link}`)
    }
    /** The output of the program that the page copies, after `more` has added lines to it. */
    const printed = async (more: (program: string) => string = (program) => program) => {
      await page.getByRole('button', { name: 'Copy as code' }).click()
      await page.getByText('Copied').waitFor()
      writeFileSync(`${folder}/program.mjs`, more(await page.evaluate(() => navigator.clipboard.readText())))
      return execFileSync(process.execPath, [`${folder}/program.mjs`], { encoding: 'utf8' })
    }

    // A race on a formula with everything that JavaScript writes otherwise, and noise: it ends where the page's ends.
    const formula = '4*(x-1)^2 + pow(y, 2) - -2^2 + ln(e)*pi + sin(0*x)'
    const racers = ['Adam', 'UncorrectedAdam'].map((method) => ({ method, rate: 0.05, options: {} }))
    await open(encodeLink('descent', { surface: 'own', formula, start: [-2, 1.5], steps: 300, noise: 0.2, racers }, {}))
    await page.locator('.results tbody tr').nth(1).waitFor()
    await page.locator('.playback input').evaluate((input: HTMLInputElement) => {
      input.value = input.max
      input.dispatchEvent(new Event('input', { bubbles: true }))
    })
    const values = async () => (await page.locator('.results > .scroll tbody tr td:nth-child(2)').allTextContents()).map(Number)
    const ends = [...(await printed()).matchAll(/^(?:Unc\w+|Adam) \S+ \S+ (\S+)$/gm)].map(([, value]) => Number(value))
    expect(ends).toHaveLength(2)
    expect(await values()).toEqual(ends.map((value) => Number(value.toPrecision(3))))

    // Trainings, to the bits.
    const constant = { kind: 'constant', steps: 500, factor: 0.5, threshold: 0.01 }
    const runOf = (method: string, changes: object) => ({ method, rate: 0.02, options: {}, batch: 16, schedule: constant, ...changes })
    const points = Array.from({ length: 60 }, (_, i) => (i % 3 < 2 ? Math.round(100 * Math.sin(i * i)) / 100 : Math.floor(i / 3) % 2))
    const trainings = [
      { at: 140, runs: [runOf('Adam', { schedule: { ...constant, kind: 'cosine', steps: 200 } }), runOf('SGD', { rate: 0.3 })] },
      { at: 28, data: 'drawn', points, runs: [runOf('UncorrectedAdam', { batch: 4 })] },
    ]
    for (const state of trainings) {
      await open(encodeLink('train', { ...state, isPlaying: false }, {}))
      await until(page, `/step: \\w{16}/.test(document.querySelector('.stage')?.textContent ?? '')`)
      const bits = await weights(page)
      expect(await page.locator('.rewind output').textContent()).toBe(String(state.at))
      const output = await printed((program) => program.replace('  return model', `  console.log('bits', await bitsOf(model))`) + BITS)
      expect(output).toContain(`bits ${bits}`)
    }

    // Schedules, to the loss that the table shows.
    const choices = [constant, { ...constant, kind: 'onecycle' }, { ...constant, kind: 'plateau', steps: 80 }]
    await open(encodeLink('schedules', { steps: 120, choices }, {}))
    await until(page, `[...document.querySelectorAll('tbody tr')].filter((row) => row.cells[3].textContent !== '').length === 3`)
    const losses = [...(await printed()).matchAll(/test: \{[^}]*loss: ([\d.]+)/g)].map(([, loss]) => Number(Number(loss).toPrecision(3)))
    const shown = (await page.locator('tbody tr td:nth-child(4)').allTextContents()).map(Number)
    expect(losses).toEqual(shown)

    // A thousand nets, to the best of them.
    await open(encodeLink('fleet', { steps: 40, y: 'width' }, {}))
    await until(page, `/^1,024/.test(document.querySelector('.count')?.textContent ?? '')`)
    const nets = await printed((program) => `${program}\nconsole.log('best', Math.min(...points.map(({ loss }) => loss)))`)
    const best = Number(/^best (\S+)$/m.exec(nets)?.[1])
    expect(best).toBeGreaterThan(0)
    expect(best).toBeLessThan(0.5)

    // The net for pictures, to the score that the page names, and that for sequences, to its error.
    const verdict = async (pattern: RegExp) => {
      await until(page, `${pattern}.test(document.querySelector('.verdict')?.textContent ?? '')`)
      const [, ...found] = pattern.exec((await page.locator('.verdict').textContent())!)!
      return found.map((text) => Number(text.replace('−', '-')))
    }
    const two = (text: string) => Number(Number(text).toPrecision(2))
    await open(encodeLink('pictures', { at: 30, isPlaying: false }, {}))
    const [digit, score, evidence, bias] = await verdict(/The score of (\d) is ([−.\d]+):.*evidence, ([−.\d]+),.*bias of ([−\d]+\.\d\d)\./)
    expect(Math.abs(score - evidence - bias)).toBeLessThan(0.011)
    expect(Number(Number(/scores: \[([^\]]+)\]/.exec(await printed())![1].split(',')[digit]).toFixed(2))).toBe(score)
    await open(encodeLink('series', { at: 400, isPlaying: false }, {}))
    const [off] = await verdict(/off by ([.\d]+) \(root/)
    expect(two(/offAlone: (\S+)/.exec(await printed())![1])).toBe(off)
    await page.context().close()
  })
})

/** The digest that the page shows of all weights. */
const BITS = `
async function bitsOf(model) {
  const all = Float32Array.from(model.parameters().flatMap((parameter) => [...parameter.view()]))
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', all.buffer))
  return Array.from(digest.subarray(0, 8), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
`
