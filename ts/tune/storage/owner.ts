/** Names of processes in a journal: they say whether a trial that runs is still run by anybody. */

import { isNode, load, type Os } from '../node.js'

/** @internal the owner of a trial that was stopped: whoever asks for a trial next */
export const NOBODY = 'nobody'

/** The names of studies that are open in this process. */
const open = new Set<string>()
let host: string | undefined

/** @internal a name for the entries of a study in this process; where there are no processes a random one */
export async function workerName(): Promise<string> {
  const random = Math.random().toString(36).slice(2, 10)
  if (!isNode()) return `gradus-${random}`
  host ??= (await load<Os>('node:os')).hostname()
  const name = `gradus:${process.pid}:${host}:${random}`
  open.add(name)
  return name
}

/** @internal a study of this name is closed */
export function forgetWorker(name: string): void {
  open.delete(name)
}

/**
 * @internal whether a name is nobody's, or that of a study on this machine whose process has ended; false for another machine's, of which
 * that is not known
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
