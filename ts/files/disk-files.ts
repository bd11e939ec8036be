/** Files on a disk, in Node, Deno and Bun. */
import type { FileHandle } from 'node:fs/promises'
import { plainError } from '../common/errors.js'
import { nodeModule } from './node-module.js'
import { removeLeftBehind, temporaryName } from './temporary-files.js'

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
 * @internal The bytes go to a temporary file beside the target, which is flushed to the disk and then renamed; finally the folder, which holds the
 *   names, is flushed. The previous file keeps its name until the moment of the renaming.
 * @param fs file system, which tests replace
 */
export async function writeNow(fs: Fs, path: string, bytes: Uint8Array, earlier: readonly string[]): Promise<void> {
  // a symbolic link stays, and its target is replaced
  const target = await fs.realpath(path).catch(() => path)
  const there = await fs.stat(target).catch(() => null)
  if (there !== null && !there.isFile() && !there.isDirectory()) return writeToDevice(fs, path, bytes)
  const folder = target.replace(/[^/\\]*$/, '') || '.'
  const temporary = await temporaryName(fs, target)
  try {
    await removeLeftBehind(fs, folder, target.slice(folder === '.' ? 0 : folder.length))
    const file = await fs.open(temporary, 'wx')
    try {
      await writeAll(file, bytes)
      await file.sync()
    } finally {
      await file.close()
    }
    await keepEarlier(fs, target, earlier)
    await fs.rename(temporary, target)
  } catch (cause) {
    await fs.rm(temporary, { force: true }).catch(() => {})
    throw plainError(`'${path}' could not be written, and what was there is as it was: ${(cause as Error).message}`, { cause })
  }
  try {
    await syncFolder(fs, folder)
  } catch (cause) {
    throw plainError(`'${path}' was written, but may not outlive a power failure: ${(cause as Error).message}`, { cause })
  }
}

/** A device or a pipe, such as `/dev/stdout`, keeps its name: a file that took it would be in its place. */
async function writeToDevice(fs: Fs, path: string, bytes: Uint8Array): Promise<void> {
  try {
    const device = await fs.open(path, 'w')
    try {
      await writeAll(device, bytes)
    } finally {
      await device.close()
    }
  } catch (cause) {
    throw plainError(`'${path}' could not be written: ${(cause as Error).message}`, { cause })
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
