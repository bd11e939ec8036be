/** Pictures for tests: circles and squares of random place, size and color, as files in folders. */
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import sharp from 'sharp'
import { Generator } from '../../ts/index.js'

const SIDE = 16

/** A circle or a square in colors that differ from the ground. */
export function shape(kind: 'circle' | 'square', generator: Generator, side = SIDE): Buffer {
  const [u, v, r, hue] = generator.uniforms(4)
  const radius = side * (0.25 + 0.1 * r)
  const [x, y] = [u, v].map((at) => radius + at * (side - 2 * radius))
  const color = `hsl(${Math.floor(360 * hue)}, 80%, 40%)`
  const drawn =
    kind === 'circle'
      ? `<circle cx="${x}" cy="${y}" r="${radius}" fill="${color}"/>`
      : `<rect x="${x - radius}" y="${y - radius}" width="${2 * radius}" height="${2 * radius}" fill="${color}"/>`
  return Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${side}" height="${side}"><rect width="100%" height="100%" fill="#fff"/>${drawn}</svg>`,
  )
}

/** `folder/circle/0.png`, `folder/square/0.jpg` … */
export async function writeShapes(folder: string, each: number, seed = 1): Promise<void> {
  const generator = new Generator(seed)
  for (const kind of ['circle', 'square'] as const) {
    mkdirSync(path.join(folder, kind), { recursive: true })
    for (let i = 0; i < each; i++) {
      const made = sharp(shape(kind, generator))
      const [ending, bytes] = i % 3 === 0 ? ['jpg', await made.jpeg({ quality: 95 }).toBuffer()] : ['png', await made.png().toBuffer()]
      writeFileSync(path.join(folder, kind, `${i}.${ending}`), bytes)
    }
  }
}
