/** bench/results/peers.json: the results of run.ts. */
import { readResults, writeResults } from '../results.js'

/** The result of a contestant on a workload: steps/s, ns per parameter, or milliseconds until 97 % accuracy, depending on the kind of workload. */
export interface Measurement {
  best: number
  median: number
  /** True if it learned on the same data: the loss halved, or the accuracy was reached. */
  learned: boolean
  date: string
}

/** The reason for a missing figure. */
export interface Missing {
  missing: string
}

/** Milliseconds of a fresh process: import and engine, first step of W2, first step of W5. */
export interface Start {
  ready: number
  first: number
  large: number
}

export interface Entry {
  versions: Record<string, string>
  results: Record<string, Measurement | Missing>
  start?: Start
  /** Milliseconds of C1 in a new process, from before its start to after its end. */
  cold?: number
}

export interface Peers {
  cpu: string
  date: string
  contestants: Record<string, Entry>
}

export function readPeers(): Peers {
  return readResults('peers')
}

export function writePeers(peers: Peers): void {
  writeResults('peers', peers)
}

/** The figure of a contestant on a workload, if it counts: if it was measured, and the contestant learned. */
export function figureOf(peers: Peers, contestant: string, workload: string): Measurement | undefined {
  const result = peers.contestants[contestant]?.results[workload]
  return result !== undefined && 'best' in result && result.learned ? result : undefined
}
