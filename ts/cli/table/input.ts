/** Source of a table for a command: a file, or stdin, written as `-`. */
import { printNote } from '../terminal/terminal.js'

/** The argument for stdin. */
const STDIN = '-'

/** A file as it was given, or `stdin`. */
export function nameOfInput(file: string): string {
  return file === STDIN ? 'stdin' : file
}

/** A source for `readTable` of gradus/data: the path, or the contents of stdin, which is read once. */
export function sourceOfInput(file: string): string | Promise<File> {
  if (file !== STDIN) return file
  const { stdin } = process
  const read = known.get(stdin) ?? readAll(stdin)
  known.set(stdin, read)
  return read
}

/** Contents that were read, since a stream is read once, and errors that name lines need it again. */
const known = new WeakMap<object, Promise<File>>()

/** Largest number of bytes from stdin: they are held in memory, and another program may write forever. */
const LARGEST = 1 << 30

/** @internal all of stdin. @throws Error if it has more than `largest` bytes */
export async function readAll(stdin: NodeJS.ReadStream, largest = LARGEST): Promise<File> {
  if (stdin.isTTY) printNote('reading rows from stdin, as typed; Ctrl-D ends them')
  const pieces: Buffer[] = []
  let bytesRead = 0
  for await (const piece of stdin) {
    bytesRead += (piece as Buffer).length
    if (bytesRead > largest) throw new Error(`stdin: it has more than ${largest >> 20} MiB; write it to a file, and give its name`)
    pieces.push(piece as Buffer)
  }
  const bytes = Buffer.concat(pieces)
  return new File([bytes], `stdin${endingOf(bytes)}`)
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
