/** Pictures of every kind, whole and broken, as a decoder gives them. */
import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { openImage, type Pixels } from '../../ts/images/decode.js'
import { readImageSet, readPixels } from '../../ts/images/image-set.js'

const RED = { r: 200, g: 10, b: 30 }
const made = (width: number, height: number, background: object = RED) =>
  sharp({ create: { width, height, channels: 3, background: background as typeof RED } })
const square = async (image: Parameters<typeof openImage>[0], size = 8) => (await openImage(image)).square(size)

describe('every kind gives the same pixels:', () => {
  test.each([
    ['PNG', () => made(20, 20).png()],
    ['PNG of 16 bits', () => made(20, 20).toColourspace('rgb16').png()],
    ['JPEG', () => made(20, 20).jpeg({ quality: 100 })],
    ['JPEG in CMYK', () => made(20, 20).toColourspace('cmyk').jpeg({ quality: 100 })],
    ['WebP', () => made(20, 20).webp({ lossless: true })],
    ['GIF', () => made(20, 20).gif()],
  ])('%s', async (_, picture) => {
    const pixels = await square(await picture().toBuffer())
    expect(pixels).toHaveLength(8 * 8 * 4)
    // CMYK has other colors
    for (const [c, value] of [200, 10, 30, 255].entries()) expect(Math.abs(pixels[c] - value)).toBeLessThan(_ === 'JPEG in CMYK' ? 60 : 5)
  })

  test('gray', async () => {
    const pixels = await square(await made(9, 9, { r: 77, g: 77, b: 77 }).toColourspace('b-w').png().toBuffer())
    expect([...pixels.slice(0, 4)]).toEqual([77, 77, 77, 255])
  })

  test('pixels that are there already', async () => {
    const data = new Uint8Array(4 * 4 * 4).fill(255)
    data.set([1, 2, 3, 255], 0)
    expect([...(await square({ width: 4, height: 4, data } satisfies Pixels, 4)).slice(0, 8)]).toEqual([1, 2, 3, 255, 255, 255, 255, 255])
  })
})

test('of an animation the first picture is seen', async () => {
  const frames = await Promise.all(
    [
      { r: 200, g: 10, b: 30 },
      { r: 0, g: 0, b: 255 },
    ].map((color) => made(20, 12, color).png().toBuffer()),
  )
  for (const format of ['gif', 'webp'] as const) {
    const animation = await sharp(frames, { join: { animated: true } })
      .toFormat(format)
      .toBuffer()
    expect((await sharp(animation).metadata()).pages).toBe(2)
    const { width, height } = await openImage(animation)
    expect([width, height]).toEqual([20, 12])
    const pixels = await square(animation)
    for (const [c, value] of [200, 10, 30].entries()) expect(Math.abs(pixels[c] - value)).toBeLessThan(12)
  }
})

test('transparent pixels are white', async () => {
  const clear = sharp({ create: { width: 9, height: 9, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0 } } })
  expect([...(await square(await clear.png().toBuffer())).slice(0, 4)]).toEqual([255, 255, 255, 255])
})

test('a picture that EXIF turns is upright', async () => {
  // left half black; turned to the right by 90 degrees, the upper half is
  const data = Buffer.alloc(10 * 10 * 3, 255)
  for (let y = 0; y < 10; y++) data.fill(0, y * 30, y * 30 + 15)
  const turned = await sharp(data, { raw: { width: 10, height: 10, channels: 3 } })
    .png()
    .withMetadata({ orientation: 6 })
    .toBuffer()
  const pixels = await square(turned, 10)
  const at = (x: number, y: number) => pixels[(y * 10 + x) * 4]
  expect([at(1, 1), at(8, 1), at(1, 8), at(8, 8)]).toEqual([0, 0, 255, 255])
})

test('of a picture that is not square, the middle is seen', async () => {
  const wide = made(30, 10, { r: 255, g: 255, b: 255 }).composite([{ input: await made(10, 10).png().toBuffer(), left: 10, top: 0 }])
  const pixels = await square(await wide.png().toBuffer(), 10)
  expect([...pixels.slice(4 * 55, 4 * 55 + 3)]).toEqual([200, 10, 30])
})

describe('an error says what is wrong with', () => {
  test.each([
    ['an empty file', async () => new Uint8Array(), /the file is empty/],
    [
      'a text',
      async () => new TextEncoder().encode('no picture at all'),
      /it is no PNG, JPEG, WebP.* picture; save it as PNG or JPEG, or take it away/,
    ],
    ['a dot', async () => made(1, 1).png().toBuffer(), /1 × 1 pixels, too few/],
    ['a number', async () => 7 as never, /wants the bytes of a file/],
  ])('%s', async (_, picture, message) => {
    await expect(async () => square(await picture())).rejects.toThrow(message)
  })

  test('a file that was cut off anywhere', async () => {
    for (const format of ['png', 'jpeg', 'webp'] as const) {
      const noise = sharp({
        create: { width: 40, height: 40, channels: 3, background: RED, noise: { type: 'gaussian', mean: 128, sigma: 30 } },
      })
      const whole = await noise.toFormat(format).toBuffer()
      for (const share of [0.02, 0.3, 0.6, 0.9])
        await expect(square(whole.subarray(0, Math.floor(share * whole.length)))).rejects.toThrow(/it is (damaged or cut off|no PNG)/)
    }
  })

  test('a picture that would take gigabytes', async () => {
    const header = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="20000" height="20000"/>')
    await expect(square(header)).rejects.toThrow('20000 × 20000 pixels, more than the limit of 64 million; make it smaller')
  })
})

test('a page closes the bitmap of each picture, also of one that is refused', async () => {
  let [made, closed] = [0, 0]
  class FakeImageData {
    constructor(
      readonly data: Uint8ClampedArray,
      readonly width: number,
    ) {}
  }
  class FakeCanvas {
    constructor(readonly side: number) {}
    getContext() {
      const data = new Uint8ClampedArray(this.side * this.side * 4).fill(9)
      return { fillRect() {}, drawImage() {}, getImageData: () => ({ data }) }
    }
  }
  const createImageBitmap = async ({ width }: FakeImageData) => {
    made++
    return { width, height: width, close: () => closed++ }
  }
  const before = Object.fromEntries(
    ['createImageBitmap', 'OffscreenCanvas', 'ImageData'].map((name) => [name, Reflect.get(globalThis, name)]),
  )
  Object.assign(globalThis, { createImageBitmap, OffscreenCanvas: FakeCanvas, ImageData: FakeImageData })
  try {
    const picture = (width: number): Pixels => ({ width, height: width, data: new Uint8Array(width * width * 4) })
    const images = [picture(9), picture(12), picture(1), picture(10)]
    const set = await readImageSet('test', { images, labels: ['a', 'b', 'a', 'b'] }, {})
    expect([set.count, set.skipped.length]).toEqual([3, 1])
    await readPixels('test', [picture(9)], 8, 3)
    expect(made).toBeGreaterThan(6)
    expect(closed).toBe(made)
  } finally {
    for (const [name, value] of Object.entries(before)) {
      if (value === undefined) Reflect.deleteProperty(globalThis, name)
      else Reflect.set(globalThis, name, value)
    }
  }
})
