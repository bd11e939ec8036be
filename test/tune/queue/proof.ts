/** `make queue-proof`: 500 trials by 8 workers, 20 of them killed at random, the server crashed and started again once. On Redis and on PostgreSQL. */
import { disturbed } from './run.js'
import { postgres, postgresFolder, redis, redisServer } from './servers.js'

const server = redisServer()
if (server === undefined) throw new Error('wants redis-server: apt-get install redis-server')
const folder = postgresFolder()
if (folder === undefined) throw new Error('wants PostgreSQL: apt-get install postgresql')
let isRight = true
const said: string[] = []
for (const [name, start] of Object.entries({ Redis: () => redis(server), PostgreSQL: () => postgres(folder) })) {
  const outcome = await disturbed(await start(), { trials: 500, workers: 8, kills: 20, restarts: 1 })
  console.log(name, outcome)
  said.push(`${name} ${outcome.complete - outcome.wrong.length} of 500 once, ${outcome.kills} kills, ${outcome.restarts} crash`)
  isRight &&= outcome.finished === 500 && outcome.complete === 500 && outcome.wrong.length === 0 && outcome.best === outcome.wanted
}
console.log(`each: ${said.join('; ')}`)
console.log(isRight ? '0 of 500 trials lost or doubled on each' : 'WRONG')
process.exit(isRight ? 0 : 1)
