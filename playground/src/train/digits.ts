/** Handwritten digits of 14 × 14 pixels, fetched on first use. */
import type { Examples, Part } from './examples'

/** The file: for each digit 196 bytes of pixels, then its class. */
const SIDE = 14
const RECORD = SIDE * SIDE + 1
const TEST = 500

export async function digits(): Promise<Examples> {
  const response = await fetch(new URL('./digits.bin', self.location.origin + self.location.pathname.replace(/assets\/[^/]*$/, '')))
  if (!response.ok) throw new Error(`the digits could not be loaded: ${response.status}`)
  return digitsOf(new Uint8Array(await response.arrayBuffer()))
}

/** The digits of the file, the last of them for testing. */
export function digitsOf(bytes: Uint8Array): Examples {
  const count = Math.floor(bytes.length / RECORD)
  const part = (from: number, to: number): Part => {
    const inputs = new Float32Array((to - from) * SIDE * SIDE)
    const labels = new Int32Array(to - from)
    for (let i = from; i < to; i++) {
      for (let k = 0; k < SIDE * SIDE; k++) inputs[(i - from) * SIDE * SIDE + k] = bytes[i * RECORD + k] / 255
      labels[i - from] = bytes[i * RECORD + SIDE * SIDE]
    }
    return { inputs, labels, count: to - from }
  }
  const names = Array.from({ length: 10 }, (_, i) => String(i))
  return {
    ...{ features: SIDE * SIDE, classes: 10, train: part(0, count - TEST), test: part(count - TEST, count) },
    ...{
      range: [
        [0, 1],
        [0, 1],
      ],
      featureNames: [],
      classNames: names,
    },
  }
}
