/** `make queue-proof`: 500 trials by 8 workers, 20 of them killed at random, Redis killed and restarted once. */
import { disturbed, redisServer } from './run.js'

const server = redisServer()
if (server === undefined) throw new Error('wants redis-server: apt-get install redis-server')
const outcome = await disturbed(server, { trials: 500, workers: 8, kills: 20, restarts: 1 })
console.log(outcome)
const isRight = outcome.finished === 500 && outcome.complete === 500 && outcome.wrong.length === 0 && outcome.best === outcome.wanted
console.log(isRight ? '0 of 500 trials lost or doubled' : 'WRONG')
process.exit(isRight ? 0 : 1)
