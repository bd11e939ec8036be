/** Names of processes in a journal: they show whether a process still runs a trial. */

import { nodeModule } from '../../common/node-module.js'
import { isNode, type Os } from '../node.js'

/** @internal the owner of a stopped trial: the next process that asks for a trial gets it */
export const NOBODY = 'nobody'

/** The names of studies that are open in this process. */
const open = new Set<string>()
let host: string | undefined

/** @internal a name for the entries of a study in this process; a random one if there are no processes */
export async function workerName(): Promise<string> {
  const random = Math.random().toString(36).slice(2, 10)
  if (!isNode()) return `gradus-${random}`
  host ??= (await nodeModule<Os>('node:os')).hostname()
  const name = `gradus:${process.pid}:${host}:${random}`
  open.add(name)
  return name
}

/** @internal a study of this name is closed */
export function forgetWorker(name: string): void {
  open.delete(name)
}

/**
 * @internal true for {@link NOBODY}, and for a study on this machine whose process has ended; false for another machine, whose processes are not
 * known
 */
export function isGone(name: string): boolean {
  if (name === NOBODY) return true
  const [kind, pid, home] = name.split(':')
  if (kind !== 'gradus' || home === undefined || home !== host) return false
  if (Number(pid) === process.pid) return !open.has(name)
  try {
    process.kill(Number(pid), 0)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}
