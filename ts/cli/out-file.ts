/** Files that commands write: checked before anything is computed, and written all or nothing. */
import { accessSync, constants, readdirSync, realpathSync, rmSync, statSync } from 'node:fs'
import * as fs from 'node:fs/promises'
import path from 'node:path'
import { isOwnTemporary } from '../files/temporary-files.js'
import { writeWholeFile } from '../files/whole-file.js'
import { INTERRUPTED } from './interrupt.js'

/**
 * Refuses an output path that cannot be written, or that would destroy a file that the command reads.
 * @param option as it was typed, such as `--out`
 * @param reads the other files of the command, by their roles: `{ 'the table': 'iris.csv' }`
 * @throws Error that names the option and the file
 */
export function checkOut(option: string, file: string, reads: Readonly<Record<string, string | undefined>>): void {
  const folder = path.dirname(file)
  const kind = kindOf(folder)
  if (kind === undefined) throw new Error(`${option} ${file}: there is no folder ${folder}; make it first`)
  if (!kind.isDirectory()) throw new Error(`${option} ${file}: ${folder} is a file, no folder`)
  const there = kindOf(file)
  if (there?.isDirectory()) throw new Error(`${option} ${file}: this is a folder; give the name of a file in it`)
  if (!mayWrite(there === undefined || there.isFile() ? folder : file))
    throw new Error(`${option} ${file}: ${folder} may not be written to`)
  for (const [what, other] of Object.entries(reads))
    if (other !== undefined && placeOf(other) === placeOf(file))
      throw new Error(`${option} ${file} is ${what}, which would be written over; give another name`)
}

/**
 * Refuses a name whose ending belongs to another kind of file.
 * @param ending the right endings, without the point; the first one is recommended. No ending is right, too.
 */
export function checkEnding(option: string, file: string, what: string, endings: readonly string[]): void {
  const [, ending] = /\.([a-z]\w*)$/i.exec(path.basename(file)) ?? []
  if (ending === undefined || endings.includes(ending.toLowerCase())) return
  throw new Error(`${option} ${file}: what is written is ${what}; give a name that ends in .${endings[0]}`)
}

/** Refuses the file of `--report`, if it is given, as {@link checkOut} and {@link checkEnding} do. */
export function checkReport(file: string | undefined, reads: Readonly<Record<string, string | undefined>>): void {
  if (file === undefined) return
  checkOut('--report', file, reads)
  checkEnding('--report', file, 'a page of HTML', ['html', 'htm'])
}

function kindOf(file: string) {
  return statSync(file, { throwIfNoEntry: false })
}

function mayWrite(file: string): boolean {
  try {
    accessSync(file, constants.W_OK)
    return true
  } catch {
    return false
  }
}

/** Path of a file, existing or not, with links followed. */
function placeOf(file: string): string {
  try {
    return realpathSync.native(file)
  } catch {
    const folder = path.dirname(path.resolve(file))
    return kindOf(folder) ? path.join(realpathSync.native(folder), path.basename(file)) : path.resolve(file)
  }
}

/**
 * While `work` writes a file through a temporary one beside it, a process that ends by Ctrl-C or SIGTERM leaves no temporary file behind. The
 * previous file stays unchanged.
 */
export async function leavingNoRest<T>(file: string, work: () => Promise<T>): Promise<T> {
  const target = placeOf(file)
  const sweep = () => {
    const own = (name: string) => isOwnTemporary(name, path.basename(target))
    for (const name of readdirSync(path.dirname(target)).filter(own)) rmSync(path.join(path.dirname(target), name), { force: true })
  }
  const end = () => process.exit(INTERRUPTED)
  // who listens already ends the process itself, when the work is done or at the second Ctrl-C
  const signals = (['SIGINT', 'SIGTERM'] as const).filter((signal) => process.listenerCount(signal) === 0)
  process.on('exit', sweep)
  for (const signal of signals) process.on(signal, end)
  try {
    return await work()
  } finally {
    process.off('exit', sweep)
    for (const signal of signals) process.off(signal, end)
  }
}

/** A file of this content, all or nothing. */
export function writeFileWhole(file: string, content: string | Uint8Array): Promise<void> {
  return writeWhole(file, (write) => write(content))
}

/**
 * Writes a file from text or bytes that `work` produces part by part. They go to a temporary file, which takes the name when everything is written.
 * If `work` fails, the temporary file is removed, and the previous file stays unchanged. Special files, such as `/dev/stdout`, are written directly.
 */
export function writeWhole(file: string, work: (write: (content: string | Uint8Array) => Promise<void>) => Promise<void>): Promise<void> {
  return leavingNoRest(file, async () => {
    await writeWholeFile(fs, file, (handle) => work(async (content) => void (await handle.writeFile(content))))
  })
}
