/**
 * Pictures of every tab at phone and desktop width, light and dark, into .cache/screenshots, and docs/playground.gif: `make screenshots`.
 *
 *   node --import tsx playground/build/screenshots.mjs             all
 *   node --import tsx playground/build/screenshots.mjs gif train   some
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import gifenc from 'gifenc'
import { PNG } from 'pngjs'
import { encodeLink } from '../src/link.ts'
import { launch } from '../test/browsers.ts'
import { serve } from '../test/serve.ts'

const { GIFEncoder, quantize, applyPalette } = gifenc
const root = fileURLToPath(new URL('../..', import.meta.url))
const { url, close } = await serve(`${root}playground/dist`, { isolated: true })
const browser = await launch('chromium')
const folder = `${root}.cache/screenshots`
mkdirSync(folder, { recursive: true })

const VIEWS = {
  descent: { link: 'lesson-18', wait: 4000 },
  surface: { link: encodeLink('descent', { surface: 'himmelblau', view: 'surface', start: [0, -0.8] }, {}), wait: 4000 },
  train: { link: encodeLink('train', { data: 'spirals', noise: 0.1, speed: 1000, seed: 3 }, {}), wait: 5000 },
  digits: { link: encodeLink('train', { data: 'digits', hidden: [24], speed: 0 }, {}), wait: 6000 },
  schedules: { link: 'lesson-11', wait: 4000, click: 'Find a learning rate' },
  fleet: { link: 'lesson-23', wait: 4000, click: 'Find out' },
  sharpness: { link: 'lesson-27', wait: 8000 },
  pictures: { link: 'pictures', wait: 12000 },
  sequences: { link: 'series', wait: 6000 },
  benchmark: { link: 'benchmark', wait: 500, click: 'Measure', after: 16000 },
}
const wanted = process.argv.slice(2)
const isWanted = (name) => wanted.length === 0 || wanted.includes(name)
for (const [name, { link, wait, click, after = 5000 }] of Object.entries(VIEWS)) {
  if (!isWanted(name)) continue
  for (const [width, height] of [
    [390, 844],
    [1440, 900],
  ]) {
    for (const colorScheme of ['light', 'dark']) {
      const page = await browser.newPage({ viewport: { width, height }, colorScheme, hasTouch: width < 500 })
      await page.goto(`${url}#${link}`)
      if (link.startsWith('lesson')) await page.locator('section[aria-current]').waitFor()
      const asking = page.locator('section[aria-current]').getByRole('button', { name: 'Just show me' })
      if ((await asking.count()) > 0) await asking.click()
      await page.waitForTimeout(wait)
      if (click) {
        await page.getByRole('button', { name: click }).first().click()
        await page.waitForTimeout(after)
      }
      await page.screenshot({ path: `${folder}/${name}-${width}-${colorScheme}.png`, fullPage: true })
      await page.close()
    }
  }
}

if (isWanted('gif')) await film()
await browser.close()
await close()

/** The animation: the map of a race, frame by frame, so that it is the same on a slow machine. */
async function film() {
  const page = await browser.newPage({ viewport: { width: 760, height: 600 }, colorScheme: 'light' })
  const state = { isPlaying: false, steps: 120 }
  await page.goto(`${url}?embed#${encodeLink('descent', state, {})}`)
  await page.locator('.playback output').getByText('/ 120').waitFor()
  const stage = page.locator('.map')
  const frames = []
  for (let step = 0; step <= 120; step += 3) {
    await page.locator('.playback input').evaluate((input, value) => {
      input.value = String(value)
      input.dispatchEvent(new Event('input', { bubbles: true }))
    }, step)
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))))
    frames.push(PNG.sync.read(await stage.screenshot()))
  }
  // One palette for all frames; unchanged pixels are transparent, which compresses to nearly nothing.
  const { width, height } = frames[0]
  const pixels = frames.map(({ data }) => data)
  const palette = quantize(pixels[pixels.length - 1], 63)
  const TRANSPARENT = palette.length
  const gif = GIFEncoder()
  let before
  for (const [i, rgba] of pixels.entries()) {
    const indices = applyPalette(rgba, palette)
    const changed = before ? indices.map((index, k) => (index === before[k] ? TRANSPARENT : index)) : indices
    const isLast = i === pixels.length - 1
    gif.writeFrame(changed, width, height, {
      ...(i === 0 ? { palette: [...palette, [0, 0, 0]] } : {}),
      ...{ transparent: i > 0, transparentIndex: TRANSPARENT, delay: isLast ? 2000 : 70, dispose: 1 },
    })
    before = indices
  }
  gif.finish()
  writeFileSync(`${root}docs/playground.gif`, gif.bytes())
  console.log(`docs/playground.gif: ${gif.bytes().length} bytes; pictures in ${folder}`)
}
