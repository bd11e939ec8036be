/** Pictures changed at random, and mixed with each other: what a mixed picture shows is what its target says. */
import { describe, expect, test } from 'vitest'
import { changeRows, mixRows } from '../../ts/images/augment.js'
import { trainImages } from '../../ts/images/index.js'
import { Generator } from '../../ts/index.js'

const NONE = { flip: false, shift: 0, rotate: 0, light: 0, color: 0, cutout: 0, mixup: 0, cutmix: 0 }

describe('a picture that is changed', () => {
  const [rows, size] = [60, 8]
  const changed = (channels: 1 | 3, how: Partial<typeof NONE>) => {
    const width = size * size * channels
    const pixels = Uint8Array.from({ length: rows * width }, (_, i) => 100 + (i % channels))
    const out = new Float32Array(pixels.length)
    changeRows({ pixels, size, channels, count: rows } as Parameters<typeof changeRows>[0], Array.from({ length: rows }, (_, i) => i), { ...NONE, ...how }, new Generator(3), out) // biome-ignore format: one line
    return Array.from({ length: rows }, (_, i) => out.subarray(i * width, (i + 1) * width))
  }

  test('has one square cut out, and the rest as it was', () => {
    for (const picture of changed(3, { cutout: 0.5 })) {
      const gray = Array.from({ length: size * size }, (_, i) => [0, 1, 2].every((c) => picture[3 * i + c] === 0.5))
      const others = [...picture].filter((_, i) => !gray[Math.floor(i / 3)])
      for (const value of others) expect([100, 101, 102]).toContain(Math.round(255 * value))
      const [ys, xs] = [(i: number) => Math.floor(i / size), (i: number) => i % size].map((of) => [
        ...new Set(gray.flatMap((is, i) => (is ? [of(i)] : []))),
      ])
      expect(gray.filter(Boolean)).toHaveLength(ys.length * xs.length)
      for (const side of [ys.length, xs.length]) {
        expect(side).toBeLessThanOrEqual(5)
        expect(side).toBeGreaterThanOrEqual(2)
      }
    }
  })

  test('has its three colors by factors within the share, a gray one as it was', () => {
    const factors = changed(3, { color: 0.2 }).flatMap((picture) => {
      for (let i = 3; i < picture.length; i++) expect(picture[i]).toBeCloseTo(picture[i % 3], 6)
      return [0, 1, 2].map((c) => (picture[c] * 255) / (100 + c))
    })
    expect(Math.min(...factors)).toBeLessThan(0.82)
    expect(Math.max(...factors)).toBeGreaterThan(1.18)
    for (const factor of factors) expect(Math.abs(factor - 1)).toBeLessThan(0.2001)
    expect(changed(1, { color: 0.2 })).toEqual(changed(1, {}))
  })
})

/** Pictures whose pixels are all the number of the picture, which is its class as well, after mixing. */
function mixed(rows: number, size: number, channels: number, how: Partial<typeof NONE>, seed = 1) {
  const width = size * size * channels
  const pictures = Float32Array.from({ length: rows * width }, (_, i) => Math.floor(i / width))
  const values = Float32Array.from({ length: rows * rows }, (_, i) => Number(i % rows === Math.floor(i / rows)))
  mixRows(pictures, { values, classes: rows }, size, { ...NONE, ...how }, new Generator(seed))
  const of = (all: Float32Array, row: number) => all.subarray((row * all.length) / rows, ((row + 1) * all.length) / rows)
  return Array.from({ length: rows }, (_, row) => ({ row, pixels: of(pictures, row), target: of(values, row), pictures, values }))
}

describe.each([
  [1, 2, 1],
  [2, 2, 1],
  [7, 3, 3],
  [64, 9, 1],
  [101, 8, 3],
])('%i pictures of %i pixels, %i channels:', (rows, size, channels) => {
  test('mixup blends pixels as it blends targets', () => {
    for (const { pixels, target } of mixed(rows, size, channels, { mixup: 0.4 })) {
      const wanted = target.reduce((sum, share, number) => sum + share * number, 0)
      for (const value of pixels) expect(Math.abs(value - wanted)).toBeLessThan(1e-4)
      expect(Math.abs(target.reduce((sum, share) => sum + share, 0) - 1)).toBeLessThan(1e-6)
    }
  })

  test('CutMix gives each class the share of its pixels, in one rectangle', () => {
    for (const { row, pixels, target } of mixed(rows, size, channels, { cutmix: 1 })) {
      for (const [number, share] of target.entries())
        expect(Math.abs(share - pixels.filter((value) => value === number).length / pixels.length)).toBeLessThan(1e-6)
      const foreign = Array.from({ length: size * size }, (_, i) => pixels[i * channels] !== row)
      const lines = Array.from({ length: size }, (_, y) => foreign.slice(y * size, (y + 1) * size).join()).filter((line) =>
        line.includes('true'),
      )
      expect(new Set(lines).size).toBeLessThanOrEqual(1)
    }
  })

  test('nothing is lost: all pictures together show as much as before', () => {
    for (const how of [{ mixup: 1 }, { cutmix: 0.3 }, { mixup: 0.2, cutmix: 1 }]) {
      const [{ pictures, values }] = mixed(rows, size, channels, how)
      const mean = pictures.reduce((sum, value) => sum + value, 0) / pictures.length
      expect(mean).toBeCloseTo((rows - 1) / 2, 3)
      for (let c = 0; c < rows; c++) expect(values.filter((_, i) => i % rows === c).reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 5) // biome-ignore format: one line
    }
  })
})

test.each([0.1, 0.2, 0.5, 1])('shares are from Beta(%f, same)', (alpha) => {
  // half of each pair, since its partner has the same share
  const shares = mixed(1200, 1, 1, { mixup: alpha }).map(({ row, target }) => target[row])
  const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length
  const variance = shares.reduce((sum, share) => sum + (share - mean) ** 2, 0) / shares.length
  expect(Math.abs(mean - 0.5)).toBeLessThan(0.05)
  expect(Math.abs(variance - 1 / (4 * (2 * alpha + 1)))).toBeLessThan(0.015)
})

test('a tiny α mixes nothing, or all of it, and never NaN', () => {
  for (const alpha of [1e-3, 1e-12, 1e-310, 5e-324])
    for (const { target } of mixed(20, 3, 1, { mixup: alpha }))
      for (const share of target) expect(Math.min(share, 1 - share)).toBeLessThan(0.5)
})

test('the same seed mixes alike, another otherwise; both kinds take turns', () => {
  const how = { mixup: 0.4, cutmix: 1 }
  const [one, two, other] = [mixed(40, 6, 1, how), mixed(40, 6, 1, how), mixed(40, 6, 1, how, 2)].map(([{ pictures }]) => pictures)
  expect(two).toEqual(one)
  expect(other).not.toEqual(one)
  const kinds = mixed(40, 6, 1, how).map(({ pixels }) => new Set(pixels).size > 1)
  expect(new Set(kinds).size).toBe(2)
})

describe('a training', () => {
  const shade = (value: number) => ({ width: 8, height: 8, data: new Uint8Array(256).fill(value) })
  const given = { images: Array.from({ length: 24 }, (_, i) => shade(i % 2 ? 230 - i : 20 + i)), labels: Array.from({ length: 24 }, (_, i) => (i % 2 ? 'light' : 'dark')) } // biome-ignore format: one line

  test('with mixed pictures learns, and repeats to the bit', async () => {
    const train = () => trainImages(given, { epochs: 12, augment: { mixup: 0.4, cutmix: 1 } })
    const [one, two] = [await train(), await train()]
    expect(two.bytes()).toEqual(one.bytes())
    expect((await one.predict([shade(15)]))[0].class).toBe('dark')
    const plain = await trainImages(given, { epochs: 12 })
    expect(plain.bytes()).not.toEqual(one.bytes())
  })

  test.each([
    [{ mixup: -0.1 }, /mixup wants a number from 0 to 1, got -0.1/],
    [{ mixup: 2 }, /mixup wants a number from 0 to 1, got 2/],
    [{ mixup: Number.NaN }, /mixup wants a number from 0 to 1, got NaN/],
    [{ cutmix: '1' as never }, /cutmix wants a number from 0 to 1, got '1'/],
    [{ cutmix: [1] as never }, /cutmix wants a number from 0 to 1/],
    [{ mixUp: 1 } as never, /mixUp.*did you mean mixup/],
    [{ cutMix: 1 } as never, /cutMix.*did you mean cutmix/],
  ])('refuses %o', async (augment, message) => {
    await expect(trainImages(given, { augment })).rejects.toThrow(message)
  })
})
