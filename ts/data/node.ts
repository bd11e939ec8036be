/** The few things from Node's own modules that loading files takes; imported when called, so that the entry loads in a browser. */
import { plainError, rangeError } from '../common/errors.js'
import { nodeModule } from '../common/node-module.js'

type Fs = typeof import('node:fs/promises')
type Module = typeof import('node:module')
type Zlib = typeof import('node:zlib')

/** Upper limit on the unpacked size, to stop decompression bombs: 1 MiB or MAX_RATIO times the packed size, whichever is larger, and at most 1 GiB. */
const MAX_RATIO = 200
const MAX_FREE = 2 ** 20
const MAX_BYTES = 2 ** 30

/** Reading and unpacking; undefined for a file that is not there. @throws Error outside of Node, Deno and Bun */
export async function fileSystem(): Promise<{
  readFile(path: string): Promise<Uint8Array | undefined>
  gunzip(bytes: Uint8Array, name: string): Uint8Array
}> {
  const [fs, zlib] = await loaded(Promise.all([nodeModule<Fs>('node:fs/promises'), nodeModule<Zlib>('node:zlib')]))
  const missing = (error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
    throw error
  }
  return { readFile: (path) => fs.readFile(path).catch(missing), gunzip: (bytes, name) => unpacked(zlib, bytes, name) }
}

/** @throws RangeError for a file that would fill the memory, or is damaged */
function unpacked(zlib: Zlib, bytes: Uint8Array, name: string): Uint8Array {
  const maxOutputLength = Math.min(MAX_BYTES, MAX_RATIO * bytes.length + MAX_FREE)
  try {
    return zlib.gunzipSync(bytes, { maxOutputLength })
  } catch (cause) {
    const isTooLarge = (cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE'
    const problem = isTooLarge ? `unpacks to more than ${maxOutputLength} bytes` : `cannot be unpacked: ${(cause as Error).message}`
    throw rangeError(`${name} ${problem}`, { cause })
  }
}

/** The folder of an installed package, seen from the working directory, then from the running script. */
export async function findPackage(name: string): Promise<string | undefined> {
  const [fs, { createRequire }] = await loaded(Promise.all([nodeModule<Fs>('node:fs/promises'), nodeModule<Module>('node:module')]))
  const script = process.argv[1] ? await fs.realpath(process.argv[1]).catch(() => undefined) : undefined
  for (const from of [join(process.cwd(), 'script.js'), script]) {
    if (from === undefined) continue
    try {
      return createRequire(from)
        .resolve(`${name}/package.json`)
        .replace(/[\\/]package\.json$/, '')
    } catch {
      // The package is not installed there: the next folder is tried.
    }
  }
  return undefined
}

/** Joins parts of a path; a forward slash works on every system. */
export function join(folder: string, name: string): string {
  return `${folder.replace(/[\\/]+$/, '')}/${name}`
}

async function loaded<T>(modules: Promise<T>): Promise<T> {
  try {
    return await modules
  } catch (cause) {
    throw plainError('this data set is read from files, which needs Node, Deno or Bun; in a browser fetch() the files and use parseIdx', {
      cause,
    })
  }
}
