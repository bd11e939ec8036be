/** A CSV file of any size: 8 numbers, two categories, a class. */
import { createWriteStream, existsSync, mkdirSync, renameSync } from 'node:fs'

/** The path of the file in .cache, which is written if it is not there. */
export async function streamFile(megabytes: number): Promise<string> {
  mkdirSync('.cache', { recursive: true })
  const path = `.cache/stream-${megabytes}.csv`
  if (!existsSync(path)) {
    await write(`${path}.tmp`, megabytes * 1e6)
    renameSync(`${path}.tmp`, path)
  }
  return path
}

/** Writes a file by a linear congruential generator, so that the same size gives the same file. */
async function write(path: string, size: number): Promise<void> {
  let state = 1
  const random = () => (state = (state * 1664525 + 1013904223) >>> 0) / 2 ** 32
  const out = createWriteStream(path)
  out.write('a,b,c,d,e,f,g,h,city,active,kind\n')
  for (let bytes = 0; bytes < size; ) {
    let text = ''
    for (let k = 0; k < 2000; k++) {
      const numbers = Array.from({ length: 8 }, () => random() * 100)
      const city = Math.floor(random() * 5)
      const kind = numbers[0] * numbers[1] > 2500 + 10 * city ? 'high' : numbers[2] > 50 ? 'low' : 'none'
      text += `${numbers.map((x) => x.toFixed(3)).join(',')},city${city},${random() < 0.5 ? 'yes' : 'no'},${kind}\n`
    }
    bytes += text.length
    if (!out.write(text)) await new Promise<void>((ready) => out.once('drain', () => ready()))
  }
  await new Promise<void>((done) => out.end(() => done()))
}
