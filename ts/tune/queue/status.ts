/** Status of a queue: workers, running and waiting trials, and the progress of studies. */

import { versionIn } from '../parallel/versions.js'
import { isOver, Journal, type StoredStudy } from '../storage/journal.js'
import { openStore } from '../storage/open.js'
import { within } from '../storage/server.js'
import { connect } from './bullmq.js'
import { plainText, type Sign } from './job.js'

/** Status of a queue, from {@link queueStatus}. */
export interface QueueStatus {
  /** Workers that have given a sign of life within the last seconds. */
  workers: {
    host: string
    pid: number
    /** Largest number of trials that it runs at once. */
    concurrency: number
    /** Trials that it runs, with their seconds so far. */
    running: { study: string; number: number; seconds: number }[]
    /** Objectives that it cannot run, with the reason. */
    refused: { objective: string; reason: string }[]
  }[]
  /** Jobs that no worker has taken yet. */
  waiting: number
  /** Jobs whose worker has disappeared: other workers get them after its `lockSeconds`. */
  stalled: number
  studies: StudyStatus[]
}

/** Progress of a study. */
export interface StudyStatus {
  name: string
  complete: number
  pruned: number
  failed: number
  /** Number of trials that have begun and not ended. */
  running: number
  /** Trials that ended per minute, over the ten minutes before the end of the last one. */
  perMinute: number
  /** Planned total number of trials, if a running process announces it. */
  trials: number | undefined
  /** Seconds until all planned trials are over, at this rate. */
  secondsLeft: number | undefined
  /** Versions of the objective that ran complete trials, as a name and a hash. Trials of different versions cannot be compared. */
  versions: string[]
  /** Host and process that run it now. */
  runBy: string[]
}

/** Minutes over which the rate is measured. */
const WINDOW = 10

/**
 * Returns the status of the queue on a server: `gradus tune status redis://…` as a function.
 * @example
 * // const { workers, studies } = await queueStatus('redis://localhost:6379')
 * @throws RangeError for another kind of URL; Error if a package or the server is missing
 */
export async function queueStatus(url: string): Promise<QueueStatus> {
  const connection = await connect(url)
  const queue = await connection.queue()
  const store = await openStore(connection.storage(connection.prefix))
  try {
    const signs = await connection.signs.all()
    const counts = await queue.getJobCounts('waiting', 'prioritized', 'delayed', 'active')
    const workers = signs.filter(({ kind }) => kind === 'worker')
    const atHand = workers.reduce((sum, { running }) => sum + running.length, 0)
    const journal = new Journal(store, 'status')
    await journal.sync()
    return {
      workers: workers.map(({ host, pid, concurrency, running, refused }) => ({ host, pid, concurrency, running, refused })),
      waiting: (counts.waiting ?? 0) + (counts.prioritized ?? 0) + (counts.delayed ?? 0),
      stalled: Math.max(0, (counts.active ?? 0) - atHand),
      studies: [...journal.studies.values()].map((study) => statusOf(study, signs)),
    }
  } finally {
    await store.close?.()
    await within(2, queue.close())
    await within(2, connection.close())
  }
}

function statusOf(study: StoredStudy, signs: readonly Sign[]): StudyStatus {
  const name = plainText(study.name)
  const count = (state: string) => study.trials.filter((trial) => trial.state === state).length
  const by = signs.filter((sign) => sign.kind === 'study' && sign.study === name)
  const trials = Math.max(0, ...by.map((sign) => sign.trials)) || undefined
  const perMinute = rateOf(study)
  const left = trials === undefined ? undefined : Math.max(0, trials - study.trials.filter(({ state }) => isOver(state)).length)
  return {
    ...{
      name,
      complete: count('complete'),
      pruned: count('pruned'),
      failed: count('failed'),
      running: count('running'),
      perMinute,
      trials,
    },
    secondsLeft: left === undefined || (left > 0 && perMinute === 0) ? undefined : left === 0 ? 0 : (60 * left) / perMinute,
    versions: [...new Set(study.trials.map(versionIn))].filter((version) => version !== undefined),
    runBy: by.map(({ host, pid }) => `${host} (process ${pid})`),
  }
}

/** Trials per minute, from the dates of their ends. */
function rateOf({ trials }: StoredStudy): number {
  const ends = trials.map(({ ended }) => (typeof ended === 'string' ? Date.parse(ended) : Number.NaN)).filter(Number.isFinite)
  const last = ends.reduce((a, b) => Math.max(a, b), 0)
  const within = ends.filter((end) => last - end < 60_000 * WINDOW)
  const minutes = (last - within.reduce((a, b) => Math.min(a, b), last)) / 60_000
  return minutes > 0 ? (within.length - 1) / minutes : 0
}
