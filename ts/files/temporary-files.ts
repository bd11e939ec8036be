/**
 * Temporary files: their names, and the removal of abandoned ones. A temporary file stands beside its target as
 * `net.safetensors.<system>-<pid>-<number>.tmp`, and takes the target's name when it is complete. If its process is killed before that, the next
 * process that writes the same target removes the file.
 */

import { nodeModule } from '../common/node-module.js'
import { crc32 } from '../io/crc32.js'

type Fs = Pick<typeof import('node:fs/promises'), 'readdir' | 'readFile' | 'readlink' | 'rm' | 'stat'>

/** A file that has not changed for this long counts as abandoned, if its writer cannot be checked, in another container or on another host. */
const LEFT_BEHIND_MS = 600_000

/** The clock of the file system may be behind the clock of the process by this much. */
const CLOCKS_APART_MS = 2000

/** Stands in names for a system that cannot be found out. */
const UNKNOWN = '00000000'

const NAME = /^([0-9a-f]{8})-(\d+)-\d+\.tmp$/

let systemOfThis: string | undefined

/**
 * Identifies the scope in which a process number is unique: on Linux one boot of one kernel and one namespace of processes, of which each container
 * has its own; elsewhere the host.
 */
async function findSystem({ readFile, readlink }: Fs): Promise<string> {
  const textOf = (text: string) => crc32(new TextEncoder().encode(text))
  try {
    if (process.platform === 'linux')
      return textOf(`${await readFile('/proc/sys/kernel/random/boot_id', 'utf8')}${await readlink('/proc/self/ns/pid')}`)
    return textOf(`${process.platform} ${(await nodeModule<typeof import('node:os')>('node:os')).hostname()}`)
  } catch {
    return UNKNOWN
  }
}

/** @internal the name of a new temporary file for a target */
export async function temporaryName(fs: Fs, target: string): Promise<string> {
  systemOfThis ??= await findSystem(fs)
  // random, since threads of a process, or two copies of this library, would count separately
  const number = Math.floor(Math.random() * 2 ** 32)
  return `${target}.${systemOfThis}-${process.pid}-${number}.tmp`
}

/** @internal true for a temporary file of this process. @param name of the file @param target name of the file that it would become */
export function isOwnTemporary(name: string, target: string): boolean {
  const [, system, pid] = partsOf(name, target) ?? []
  return system === (systemOfThis ?? system) && Number(pid) === process.pid
}

function partsOf(name: string, target: string): RegExpExecArray | null {
  return name.startsWith(`${target}.`) ? NAME.exec(name.slice(target.length + 1)) : null
}

/**
 * @internal Removes abandoned temporary files of a target: files of a process that is known to be dead, and files that have not changed for ten
 * minutes.
 * @param folder the target's folder, with a separator at its end, or '.'
 * @param name of the target in it
 */
export async function removeLeftBehind(fs: Fs, folder: string, name: string): Promise<void> {
  systemOfThis ??= await findSystem(fs)
  for (const entry of await fs.readdir(folder)) {
    const parts = partsOf(entry, name)
    if (parts === null) continue
    const left = folder === '.' ? entry : folder + entry
    const { mtimeMs } = await fs.stat(left).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }))
    const [, system, pid] = parts
    const mayAsk = system === systemOfThis && system !== UNKNOWN
    if (Date.now() - mtimeMs > LEFT_BEHIND_MS || (mayAsk && isDead(Number(pid), mtimeMs)))
      await fs.rm(left, { force: true }).catch(() => {})
  }
}

/**
 * True if the process with this number, which wrote a file, has ended. A later process with the same number is taken for the writer, unless it is
 * this process, which knows when it started.
 */
function isDead(pid: number, mtimeMs: number): boolean {
  if (pid === process.pid) return mtimeMs < Date.now() - 1000 * process.uptime() - CLOCKS_APART_MS
  try {
    process.kill(pid, 0)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}
