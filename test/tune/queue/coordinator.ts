/** A process that runs a study on a queue, for the proof: coordinator.ts URL MODULE TRIALS PARALLEL. It writes a line for each message. */
import { createStudy, float, random } from '../../../ts/tune/index.js'

const [, , url, module, trials, parallel] = process.argv
const began = performance.now()
/** Tenths of a second in which this process had the processor to look: on a busy machine the process cannot write anything in the remaining time. */
let looked = 0
setInterval(() => looked++, 100)
const line = (what: object) => {
  // if the process's own work kept it from looking, that work counts as well
  const { user, system } = process.cpuUsage()
  const ran = Math.round(looked + (user + system) / 1e5) / 10
  process.stdout.write(`${JSON.stringify({ at: Math.round(performance.now() - began), ran, ...what })}\n`)
}
console.warn = (text: string) => line({ message: text })
try {
  const study = await createStudy({ space: { x: float(-1, 1), y: float(-1, 1) }, sampler: random(), seed: 7, storage: url })
  line({ found: study.finished })
  await study.optimize(module, {
    ...{ trials: Number(trials), parallel: Number(parallel), queue: url, trialTime: 3, onError: 'continue' as const },
    onTrial: ({ number, state }) => line({ number, state }),
    onMessage: (message) => line({ message }),
  })
  line({ end: study.finished })
  await study.close()
  process.exit(0)
} catch (error) {
  line({ message: String(error) })
  process.exit(1)
}
