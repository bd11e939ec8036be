/** A network for the proof: a namespace with the server and three with machines, joined by a bridge; each machine has its own host name. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'

const HUB = 'gradus-hub'
/** Address of the server. */
export const HUB_ADDRESS = '10.77.0.1'
const machine = (i: number) => `gradus-m${i}`

const ip = (...args: string[]) => execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] })

/** True if namespaces can be made here. */
export function canMakeNetworks(): boolean {
  try {
    ip('netns', 'add', 'gradus-try')
    ip('netns', 'del', 'gradus-try')
    return true
  } catch {
    return false
  }
}

/** Makes the namespaces. */
export function makeNetwork(machines: number): void {
  removeNetwork(machines)
  ip('netns', 'add', HUB)
  ip('-n', HUB, 'link', 'set', 'lo', 'up')
  ip('-n', HUB, 'link', 'add', 'br0', 'type', 'bridge')
  ip('-n', HUB, 'addr', 'add', `${HUB_ADDRESS}/24`, 'dev', 'br0')
  ip('-n', HUB, 'link', 'set', 'br0', 'up')
  for (let i = 1; i <= machines; i++) {
    ip('netns', 'add', machine(i))
    ip('-n', machine(i), 'link', 'set', 'lo', 'up')
    ip('-n', HUB, 'link', 'add', `v${i}`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', machine(i))
    ip('-n', HUB, 'link', 'set', `v${i}`, 'master', 'br0')
    ip('-n', HUB, 'link', 'set', `v${i}`, 'up')
    ip('-n', machine(i), 'addr', 'add', `10.77.0.${10 + i}/24`, 'dev', 'eth0')
    ip('-n', machine(i), 'link', 'set', 'eth0', 'up')
  }
}

/** Cuts a machine off, or joins it again. */
export function cut(i: number, isCut: boolean): void {
  ip('-n', HUB, 'link', 'set', `v${i}`, isCut ? 'down' : 'up')
}

export function removeNetwork(machines: number): void {
  for (const name of [HUB, ...Array.from({ length: machines }, (_, i) => machine(i + 1))]) {
    try {
      ip('netns', 'del', name)
    } catch {
      // it did not exist
    }
  }
}

/** The command that runs another in the namespace of the server. */
export const inHub = (command: string, args: readonly string[]): [string, string[]] => ['ip', ['netns', 'exec', HUB, command, ...args]]

/** Starts a program on a machine that has this host name; returns the process of the program. */
export function startOn(i: number, host: string, args: readonly string[], stderr: 'inherit' | 'ignore' = 'inherit'): ChildProcess {
  const line = ['netns', 'exec', machine(i), 'unshare', '-u', 'sh', '-c', 'hostname "$0"; exec "$@"', host, process.execPath, ...args]
  return spawn('ip', line, { stdio: ['ignore', 'pipe', stderr] })
}
