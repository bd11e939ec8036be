/** Versions of modules: a hash of a module and of the files that it imports, by which workers and studies compare their code. */
import { nodeModule } from '../../common/node-module.js'
import type { Fs } from '../node.js'

/** A module in its present version on this machine. */
export interface ModuleVersion {
  /** SHA-256 of the module and of all files that it imports by relative paths, in hexadecimal. */
  readonly hash: string
  /** Paths of the module and of these files. */
  readonly files: readonly string[]
}

/** Imports by relative paths. A name that is put together at run time is not found: it does not count. */
const IMPORTS = /\b(?:from|import|require)\s*(?:\(\s*)?['"](\.\.?\/[^'"\n]+)['"]/g
/** Endings that a resolver may add to the name of an import. */
const ENDINGS = ['', '.js', '.mjs', '.cjs', '.ts', '.json', '/index.js', '/index.ts']

/** Versions by path, with the times of change and sizes of their files. */
const known = new Map<string, { version: ModuleVersion; stamp: string }>()

/**
 * @internal the version of a module in a file. Files are read again only if one of them was changed.
 * @throws Error if the module cannot be read
 */
export async function versionOf(file: string): Promise<ModuleVersion> {
  const [fs, path, { createHash }] = await Promise.all([
    nodeModule<Fs>('node:fs'),
    nodeModule<typeof import('node:path')>('node:path'),
    nodeModule<typeof import('node:crypto')>('node:crypto'),
  ])
  const found = known.get(file)
  if (found && stampOf(found.version.files, fs) === found.stamp) return found.version
  const texts = new Map<string, string>()
  const open = [file]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (texts.has(next)) continue
    const text = fs.readFileSync(next, 'utf8')
    texts.set(next, text)
    const folder = path.dirname(next)
    for (const [, name] of text.matchAll(IMPORTS)) {
      const imported = resolved(path.join(folder, name), fs)
      if (imported !== undefined) open.push(imported)
    }
  }
  const files = [...texts.keys()]
  const hash = createHash('sha256')
  const folder = path.dirname(file)
  // the same files in another folder, or on another system, are the same version
  const parts = files.map((one) => [path.relative(folder, one).replaceAll('\\', '/'), texts.get(one) as string])
  for (const [name, text] of parts.slice(1).sort(([a], [b]) => (a < b ? -1 : 1))) hash.update(`${name}\0${text.length}\0${text}`)
  hash.update(`\0${parts[0][1]}`)
  const version = { hash: hash.digest('hex'), files }
  known.set(file, { version, stamp: stampOf(files, fs) })
  return version
}

function resolved(path: string, fs: Fs): string | undefined {
  // TypeScript files are imported by the names of their compiled files
  const names = [...ENDINGS.map((ending) => path + ending), path.replace(/\.([cm]?)js$/, '.$1ts')]
  return names.find((name) => fs.statSync(name, { throwIfNoEntry: false })?.isFile())
}

function stampOf(files: readonly string[], fs: Fs): string {
  return files
    .map((file) => {
      const stat = fs.statSync(file, { bigint: true, throwIfNoEntry: false })
      return `${stat?.mtimeNs} ${stat?.size} ${stat?.ino}`
    })
    .join()
}

/** @internal the beginning of a hash, for people */
export function shortHash(hash: string): string {
  return hash.slice(0, 12)
}

/** @internal an objective with its version, in one spelling, as studies compare what threads, workers and they themselves write */
export function versionName(name: string, hash: string): string {
  return `${name} ${shortHash(hash)}`
}
