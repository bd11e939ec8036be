/** A journal that gradus and Optuna write alternately and at the same time, and that optuna-dashboard shows. */
import { execFile, spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { promisify } from 'node:util'
import { categorical, createStudy, float, int, median, when } from '../../../../ts/tune/index.js'

const execute = promisify(execFile)

const SPACE = {
  rate: float(1e-5, 1, { log: true }),
  width: int(4, 64),
  kind: categorical(['SGD', 'Adam']),
  momentum: when('kind', 'SGD', float(0, 1)),
}

/** A study as Optuna sees it. */
export interface Seen {
  direction: string
  best: number
  trials: {
    number: number
    state: string
    value: number | null
    params: Record<string, unknown>
    reports: Record<string, number>
    log: boolean
    constraints: Record<string, number>
    attributes: Record<string, unknown>
  }[]
  importance: string[]
}

export async function optuna(python: string, mode: 'read' | 'more', file: string): Promise<Seen> {
  const { stdout } = await execute(python, ['test/tune/storage/optuna/check.py', mode, file], { maxBuffer: 1 << 26 })
  return JSON.parse(stdout)
}

export function open(storage: string, seed = 1) {
  return createStudy({ space: SPACE, storage, seed, pruner: median() })
}

/** Trials of gradus up to a number, with reports, constraints, attributes, and now and then a failure. */
export async function more(study: Awaited<ReturnType<typeof open>>, trials: number): Promise<void> {
  await study.optimize(
    async ({ rate, width, momentum = 0 }, trial) => {
      for (let step = 0; step < 3; step++) {
        await trial.report(rate + 1 / (step + 1), step)
        if (trial.shouldPrune()) trial.prune()
      }
      trial.constrain('width', width - 60)
      trial.setAttribute('note', `näive "${width}"`)
      if (trial.number % 11 === 7) return Number.NaN
      return rate + width / 64 + momentum
    },
    { trials },
  )
}

/** The first study of a file as optuna-dashboard's HTTP interface returns it. */
export async function dashboard(
  command: string,
  file: string,
): Promise<{ names: string[]; trials: { number: number; state: string; params: unknown[]; values?: unknown[] }[] }> {
  const port = await freePort()
  const child = spawn(command, [file, '--port', String(port)], { stdio: 'ignore' })
  try {
    const get = async (path: string) => (await (await fetch(`http://127.0.0.1:${port}/api${path}`)).json()) as Record<string, never>
    for (let tries = 0; ; tries++) {
      try {
        const { study_summaries } = (await get('/studies')) as unknown as { study_summaries: { study_name: string; study_id: number }[] }
        const { trials } = (await get(`/studies/${study_summaries[0].study_id}?after=0`)) as unknown as { trials: never[] }
        return { names: study_summaries.map(({ study_name }) => study_name), trials }
      } catch (error) {
        if (tries > 200) throw error
        await new Promise((resolve) => setTimeout(resolve, 150))
      }
    }
  } finally {
    child.kill()
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.listen(0, () => {
      const { port } = probe.address() as { port: number }
      probe.close(() => resolve(port))
    })
  })
}
