/** Files that are written all or nothing. */
import type { FileHandle } from 'node:fs/promises'
import { removeLeftBehind, temporaryName } from './temporary-files.js'

type Fs = typeof import('node:fs/promises')

/**
 * @internal What `work` writes goes to a temporary file beside the target, which is flushed to the disk and then renamed. The previous file keeps its
 *   name until the moment of the renaming, and stays if something fails. A device or a pipe, such as `/dev/stdout`, is written to: a file that took
 *   its name would be in its place.
 * @param fs file system, which tests replace
 * @param replacing called with the path of the target, behind links, before the renaming
 * @returns the folder that holds the new name; null for a device or a pipe
 */
export async function writeWholeFile(
  fs: Fs,
  path: string,
  work: (file: FileHandle) => Promise<void>,
  replacing?: (target: string) => Promise<void>,
): Promise<string | null> {
  // a symbolic link stays, and its target is replaced
  const target = await fs.realpath(path).catch(() => path)
  const there = await fs.stat(target).catch(() => null)
  if (there !== null && !there.isFile() && !there.isDirectory()) {
    await closing(await fs.open(path, 'w'), work)
    return null
  }
  const folder = target.replace(/[^/\\]*$/, '') || '.'
  const temporary = await temporaryName(fs, target)
  try {
    await removeLeftBehind(fs, folder, target.slice(folder === '.' ? 0 : folder.length))
    await closing(await fs.open(temporary, 'wx'), async (file) => {
      await work(file)
      await file.sync()
    })
    await replacing?.(target)
    await fs.rename(temporary, target)
  } catch (error) {
    await fs.rm(temporary, { force: true }).catch(() => {})
    throw error
  }
  return folder
}

async function closing(file: FileHandle, work: (file: FileHandle) => Promise<void>): Promise<void> {
  try {
    await work(file)
  } finally {
    await file.close()
  }
}
