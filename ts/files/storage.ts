/**
 * Storage of files: paths in Node, Deno and Bun, names in the origin's database in browsers. Writing is all or nothing in both: if the process is
 * killed meanwhile, the previous file stays.
 */
import { plainError, rangeError, typeError } from '../common/errors.js'
import type { Range } from '../common/options.js'
import { show } from '../common/show.js'
import { DatabaseFiles } from './database-files.js'
import { DiskFiles, hasDisk } from './disk-files.js'

/** A URL by its properties: a user's compiler may know neither the types of the web nor Node's. */
interface Address {
  readonly href: string
  readonly arrayBuffer?: undefined
}

/** Source of a model: a path or name, a URL, a Blob, File or Response, or bytes. */
export type ModelSource = string | Address | Uint8Array | ArrayBuffer | { arrayBuffer(): Promise<ArrayBuffer> }

/** Files by name, each written as a whole. @internal */
export interface Files {
  /** Undefined if there is no such file. */
  read(path: string): Promise<Uint8Array | undefined>
  /**
   * Replaces a file by bytes, all or nothing, and on the medium before it resolves.
   * @param earlier names for the previous files, the latest first
   */
  write(path: string, bytes: Uint8Array, earlier: readonly string[]): Promise<void>
}

/** @internal the storage of this runtime. @throws Error if it has none */
export function filesHere(who: string): Files {
  if (hasDisk()) return new DiskFiles()
  if (typeof indexedDB !== 'undefined') return new DatabaseFiles()
  throw plainError(`${who}: there are neither files nor IndexedDB here; encodeModel gives the bytes, decodeModel takes them`)
}

/** @internal `a/net.safetensors`, `best` → `a/net.best.safetensors` */
export function siblingOf(path: string, tag: string | number): string {
  const [, stem, extension] = /^(.*?)(\.[^./\\]*)?$/s.exec(path) as unknown as [string, string, string | undefined]
  return `${stem}.${tag}${extension ?? ''}`
}

/** @internal the names of the files before a file */
export function earlierOf(path: string, keep: number): string[] {
  return Array.from({ length: keep - 1 }, (_, i) => siblingOf(path, i + 1))
}

/** @internal allowed numbers of kept files: each of them is renamed whenever a file is written */
export const KEPT: Range = { min: 1, max: 1000, whole: true }

/** @internal the bytes of a source. @throws Error naming the source that could not be read */
export async function bytesFrom(who: string, source: ModelSource): Promise<Uint8Array | ArrayBuffer> {
  if (source instanceof Uint8Array || source instanceof ArrayBuffer) return source
  if (source instanceof URL || (typeof source === 'string' && /^(https?|data|blob|file):/.test(source)))
    return fetched(who, new URL(source))
  if (typeof source === 'string') {
    const bytes = await filesHere(who).read(source)
    if (bytes === undefined) throw plainError(`${who}: there is no file '${source}'${hasDisk() ? '' : elsewhere(source)}`)
    return bytes
  }
  if (typeof source?.arrayBuffer === 'function') return source.arrayBuffer()
  throw typeError(`${who}: wants a path, a URL, a Blob or bytes, got ${show(source)}`)
}

function elsewhere(name: string): string {
  return ` among those that were saved in this browser; to fetch one from the server: new URL('${name}', location.href)`
}

async function fetched(who: string, url: URL): Promise<Uint8Array | ArrayBuffer> {
  if (url.protocol === 'file:' && hasDisk()) {
    const bytes = await new DiskFiles().read(url)
    if (bytes === undefined) throw plainError(`${who}: there is no file ${url.href}`)
    return bytes
  }
  let response: Response
  try {
    response = await fetch(url)
  } catch (cause) {
    throw plainError(`${who}: ${shownUrl(url)} could not be fetched: ${(cause as Error).message}`, { cause })
  }
  if (!response.ok)
    throw plainError(`${who}: ${shownUrl(url)} could not be fetched: the server answers ${response.status} ${response.statusText}`)
  return response.arrayBuffer()
}

function shownUrl({ href }: URL): string {
  return href.length > 120 ? `${href.slice(0, 120)}…` : href
}

/** @internal @throws TypeError, RangeError */
export function checkPath(who: string, path: unknown): asserts path is string {
  if (typeof path !== 'string') throw typeError(`${who}: wants the path of a file, got ${show(path)}`)
  if (path === '' || /[/\\]$/.test(path)) throw rangeError(`${who}: wants the path of a file, got '${path}'`)
}
