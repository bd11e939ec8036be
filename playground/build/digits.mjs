/** Writes public/digits.bin: 3,000 digits of MNIST, each is 14 × 14 pixels of one byte, followed by the class. Run by `make play`. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { loadMnist } from 'gradus/data'

const COUNT = 3000

/** The bytes of the file. */
export async function digitBytes() {
  const { train } = await loadMnist()
  const record = 14 * 14 + 1
  const bytes = new Uint8Array(COUNT * record)
  for (let i = 0; i < COUNT; i++) {
    const pixel = (x, y) => train.inputs[i * 784 + y * 28 + x]
    for (let y = 0; y < 14; y++) {
      for (let x = 0; x < 14; x++) {
        const mean = (pixel(2 * x, 2 * y) + pixel(2 * x + 1, 2 * y) + pixel(2 * x, 2 * y + 1) + pixel(2 * x + 1, 2 * y + 1)) / 4
        bytes[i * record + y * 14 + x] = Math.round(255 * mean)
      }
    }
    bytes[i * record + 196] = train.targets[i]
  }
  return bytes
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const bytes = await digitBytes()
  mkdirSync('public', { recursive: true })
  writeFileSync('public/digits.bin', bytes)
  console.log(`public/digits.bin: ${COUNT} digits, ${bytes.length} bytes`)
}
