/** A journal in a file, a line for each entry: the file of Optuna's JournalFileBackend. */
import { plainError } from '../../common/errors.js'
import { nodeModule } from '../../common/node-module.js'
import type { Fs, Os } from '../node.js'
import { reasonOf } from './disk.js'
import { FileLock } from './file-lock.js'
import { type Entry, entriesIn, isOver, type JournalStore, OPERATION, STATES, toJson } from './journal.js'

/** @internal @throws Error if the file cannot be read or written */
export async function fileStore(path: string): Promise<JournalStore> {
  const [fs, os] = await Promise.all([nodeModule<Fs>('node:fs'), nodeModule<Os>('node:os')])
  const say = (what: string, error: unknown) =>
    plainError(`cannot ${what} the study in ${path}: ${reasonOf(error, path, fs)}. What was told before is safe`, { cause: error })
  try {
    fs.closeSync(fs.openSync(path, 'a'))
  } catch (error) {
    throw say('open', error)
  }
  const lock = new FileLock(fs, path, os.hostname())
  /** Entries and bytes that were read: a file only grows. */
  let [count, offset] = [0, 0]

  function readNew(file: number): Entry[] {
    const size = fs.fstatSync(file).size
    if (size < offset) throw plainError(`${path} has become shorter: was it replaced? Open the study anew`)
    const bytes = new Uint8Array(size - offset)
    for (let at = 0; at < bytes.length; ) {
      const read = fs.readSync(file, bytes, at, bytes.length - at, offset + at)
      if (read === 0) break
      at += read
    }
    const end = bytes.lastIndexOf(10) + 1
    const lines = new TextDecoder().decode(bytes.subarray(0, end)).split('\n').slice(0, -1)
    const entries = entriesIn(lines, path, count, 'line')
    count += entries.length
    offset += end
    return entries
  }

  function cutOff(file: number): void {
    try {
      fs.ftruncateSync(file, offset)
    } catch {
      // the half line stays: the next process that writes cuts it off
    }
  }

  return {
    place: path,
    async transact(_, read, write) {
      await lock.acquire()
      try {
        const file = fs.openSync(path, 'r+')
        try {
          read(readNew(file))
          const added = write()
          if (added.length === 0) return undefined
          const text = added.map((entry) => `${toJson(entry)}\n`).join('')
          // an incomplete line of a killed process is cut off
          if (fs.fstatSync(file).size > offset) fs.ftruncateSync(file, offset)
          const bytes = new TextEncoder().encode(text)
          try {
            for (let at = 0; at < bytes.length; ) at += fs.writeSync(file, bytes, at, bytes.length - at, offset + at)
            if (added.some(isLasting)) fs.fdatasyncSync(file)
          } catch (error) {
            // the disk is full: what was written does not count
            cutOff(file)
            throw say('write to', error)
          }
          offset += bytes.length
          count += added.length
          return undefined
        } finally {
          fs.closeSync(file)
        }
      } finally {
        lock.release()
      }
    },
  }
}

/** Entries that must survive a power failure, not only the end of the process: studies and results, also of trials that are added with their result. */
function isLasting({ op_code, state }: Entry): boolean {
  if (op_code === OPERATION.createTrial) return isOver(STATES[state as number])
  return op_code === OPERATION.createStudy || op_code === OPERATION.setTrialState
}
