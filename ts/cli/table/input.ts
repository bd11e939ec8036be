/** Source of a table for a command: a file, or stdin, written as `-`. */
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { printNote } from '../terminal/terminal.js'

/** The argument for stdin. */
const STDIN = '-'

/** A file as it was given, or `stdin`. */
export function nameOfInput(file: string): string {
  return file === STDIN ? 'stdin' : file
}

/**
 * A source for `readTable` of gradus/data: the path, or the contents of stdin, which is read once.
 *
 * @param spools true for a command that does not hold all rows: a long stdin goes to a file, in the folder for temporary ones (`TMPDIR`)
 */
export function sourceOfInput(file: string, spools = false): string | Promise<File | string> {
  if (file !== STDIN) return file
  const { stdin } = process
  const read = known.get(stdin) ?? (spools ? spool(stdin) : readAll(stdin))
  known.set(stdin, read)
  return read
}

/** Contents that were read, since a stream is read once, and errors that name lines need it again. */
const known = new WeakMap<object, Promise<File | string>>()

/** Largest number of bytes from stdin: they are held in memory, and another program may write forever. */
const LARGEST = 1 << 30
/** The same of a spooled stdin: bytes in memory, and bytes in the file. */
const [LARGEST_IN_MEMORY, LARGEST_SPOOLED] = [1 << 26, 2 ** 36]

/** @internal all of stdin. @throws Error if it has more than `largest` bytes */
export async function readAll(stdin: NodeJS.ReadStream, largest = LARGEST): Promise<File> {
  return (await spool(stdin, largest, largest)) as File
}

/** @internal all of stdin: in memory, or the path of a file that is removed when the process ends. @throws Error if it has more than `largest` bytes */
export async function spool(stdin: NodeJS.ReadStream, inMemory = LARGEST_IN_MEMORY, largest = LARGEST_SPOOLED): Promise<File | string> {
  if (stdin.isTTY) printNote('reading rows from stdin, as typed; Ctrl-D ends them')
  let pieces: Buffer[] = []
  let bytesRead = 0
  let path: string | undefined
  for await (const piece of stdin) {
    bytesRead += (piece as Buffer).length
    if (bytesRead > largest) throw new Error(`stdin: it has more than ${largest / 2 ** 20} MiB; write it to a file, and give its name`)
    pieces.push(piece as Buffer)
    if (bytesRead <= inMemory) continue
    const bytes = Buffer.concat(pieces)
    path ??= temporaryFile(endingOf(bytes))
    appendFileSync(path, bytes)
    pieces = []
  }
  if (path !== undefined) return path
  const bytes = Buffer.concat(pieces)
  return new File([bytes], `stdin${endingOf(bytes)}`)
}

/** A file that nobody else has, which is removed when the process ends. */
function temporaryFile(ending: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'gradus-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  return join(folder, `stdin${ending}`)
}

/** The usual ending of a file that begins like this; CSV's for unknown kinds. */
function endingOf(bytes: Buffer): string {
  const start = bytes.subarray(0, 512).toString('latin1')
  if (start.startsWith('PAR1')) return '.parquet'
  if (start.startsWith('ARROW1')) return '.arrow'
  const [first] = start.replace(/^\xef\xbb\xbf/, '').trimStart()
  if (first === '[') return '.json'
  return first === '{' ? '.jsonl' : '.csv'
}
