/** Files on a disk, in Node, Deno and Bun. */
import type { FileHandle } from 'node:fs/promises'
import { plainError } from '../common/errors.js'
import { nodeModule } from '../common/node-module.js'
import { writeWholeFile } from './whole-file.js'

type Fs = typeof import('node:fs/promises')

/** @internal true in a runtime with a file system */
export function hasDisk(): boolean {
  const { process } = globalThis as { process?: { versions?: { node?: string } } }
  return process?.versions?.node !== undefined
}

/** The running write of each path: two at once would mix up their earlier files. */
const writing = new Map<string, Promise<void>>()

/** @internal see {@link Files} */
export class DiskFiles {
  async read(path: string | URL): Promise<Uint8Array | undefined> {
    const fs = await nodeModule<Fs>('node:fs/promises')
    return fs.readFile(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined
      throw plainError(`'${path}' could not be read: ${error.message}`, { cause: error })
    })
  }

  async write(path: string, bytes: Uint8Array, earlier: readonly string[]): Promise<void> {
    const before = writing.get(path)
    const own = (before ?? Promise.resolve())
      .catch(() => {})
      .then(async () => writeNow(await nodeModule<Fs>('node:fs/promises'), path, bytes, earlier))
    writing.set(path, own)
    try {
      await own
    } finally {
      if (writing.get(path) === own) writing.delete(path)
    }
  }
}

/**
 * @internal A file of these bytes, all or nothing; finally the folder, which holds the names, is flushed.
 * @param fs file system, which tests replace
 */
export async function writeNow(fs: Fs, path: string, bytes: Uint8Array, earlier: readonly string[]): Promise<void> {
  let folder: string | null
  try {
    folder = await writeWholeFile(
      fs,
      path,
      (file) => writeAll(file, bytes),
      (target) => keepEarlier(fs, target, earlier),
    )
  } catch (cause) {
    throw plainError(`'${path}' could not be written, and what was there is as it was: ${(cause as Error).message}`, { cause })
  }
  if (folder === null) return
  try {
    await syncFolder(fs, folder)
  } catch (cause) {
    throw plainError(`'${path}' was written, but may not outlive a power failure: ${(cause as Error).message}`, { cause })
  }
}

/** One write may take less than all. */
async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at, bytes.length - at)).bytesWritten
}

/** Gives the existing file a second name, and earlier files the next ones. At each moment each name belongs to a whole file or to none. */
async function keepEarlier(fs: Fs, path: string, earlier: readonly string[]): Promise<void> {
  const names = [path, ...earlier]
  for (let i = names.length - 1; i > 1; i--) await fs.rename(names[i - 1], names[i]).catch(unlessMissing)
  const [, last] = names
  if (last === undefined) return
  await fs.rm(last, { force: true })
  // some file systems have no hard links, and before the first save there is no file
  await fs.link(path, last).catch(() => fs.copyFile(path, last).catch(unlessMissing))
}

/** Windows cannot open a folder as a file. */
async function syncFolder(fs: Fs, folder: string): Promise<void> {
  if (process.platform === 'win32') return
  const file = await fs.open(folder, 'r')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}

function unlessMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error
}
