/** Errors of files, in words for people. */
import type { Fs } from '../node.js'

/** With less free space, an error in writing counts as a full disk. */
const MIN_FREE = 65536

/** @internal why a file cannot be opened or written */
export function reasonOf(error: unknown, path: string, fs: Fs): string {
  const { code, message } = error as NodeJS.ErrnoException
  // SQLite in WebAssembly only reports that there was an error
  if (code === 'ENOSPC' || /is full/.test(message) || (/I\/O error/.test(message) && freeAt(path, fs) < MIN_FREE))
    return 'the disk is full; free some space and run it again'
  if (code === 'ENOENT') return 'there is no such folder'
  if (code === 'EACCES' || code === 'EROFS') return 'it may not be written'
  return message
}

function freeAt(path: string, fs: Fs): number {
  try {
    const { bavail, bsize } = fs.statfsSync(path)
    return bavail * bsize
  } catch {
    return Number.POSITIVE_INFINITY
  }
}
