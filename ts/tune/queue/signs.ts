/** Signs of life on the server of a queue: processes, the trials that they run, and the objectives that they cannot run. */
import { clock } from '../../common/clock.js'
import { type Pool, query } from '../storage/postgres.js'
import type { Redis } from '../storage/redis.js'
import { SILENCE, silenceOf, within } from '../storage/server.js'
import { type Sign, signOf } from './job.js'

/** Seconds between two signs. */
const SIGN_EVERY = 2
/** Seconds after which a process without a sign of life counts as gone. */
const GONE = 7
/** Seconds after which a sign is forgotten. */
const FORGOTTEN = 3600

/** @internal */
export interface Signs {
  /** Shows a sign of a process, replacing the previous one. */
  show(id: string, sign: Sign): Promise<void>
  /** Takes it away. */
  remove(id: string): Promise<void>
  /** The signs of all present processes, each with its age in seconds. */
  all(): Promise<(Sign & { age: number })[]>
}

/** Times are the server's, so that clocks of machines may differ. */
const SHOW = `
local now = tonumber(redis.call('TIME')[1])
redis.call('HSET', KEYS[1], ARGV[1], string.format('%d', now) .. ' ' .. ARGV[2])
return 1`
const ALL = `
local now = tonumber(redis.call('TIME')[1])
local all = redis.call('HGETALL', KEYS[1])
local there = {}
for i = 1, #all, 2 do
  local age = now - (tonumber(string.match(all[i + 1], '^%d+')) or 0)
  if age > tonumber(ARGV[2]) then redis.call('HDEL', KEYS[1], all[i])
  elseif age <= tonumber(ARGV[1]) then
    there[#there + 1] = tostring(age)
    there[#there + 1] = string.match(all[i + 1], '^%d+ (.*)$') or ''
  end
end
return there`

/** @internal */
export function redisSigns(redis: Redis, prefix: string): Signs {
  const key = `${prefix}:signs`
  return {
    async show(id, sign) {
      await redis.eval(SHOW, 1, key, id, JSON.stringify(sign))
    },
    async remove(id) {
      await redis.eval("return redis.call('HDEL', KEYS[1], ARGV[1])", 1, key, id)
    },
    async all() {
      const list = (await redis.eval(ALL, 1, key, GONE, FORGOTTEN)) as string[]
      return signsIn(Array.from({ length: list.length / 2 }, (_, i) => [list[2 * i], list[2 * i + 1]]))
    },
  }
}

/** @internal */
export const SIGNS_TABLE =
  'CREATE TABLE IF NOT EXISTS gradus_signs (prefix text NOT NULL, id text NOT NULL, sign text NOT NULL, at timestamptz NOT NULL, PRIMARY KEY (prefix, id))'

/** @internal */
export function postgresSigns(pool: Pool, prefix: string): Signs {
  const ask = (sql: string, ...values: unknown[]) => query(pool, sql, values)
  return {
    async show(id, sign) {
      await ask(
        'INSERT INTO gradus_signs VALUES ($1, $2, $3, now()) ON CONFLICT (prefix, id) DO UPDATE SET sign = excluded.sign, at = excluded.at',
        prefix,
        id,
        JSON.stringify(sign),
      )
    },
    async remove(id) {
      await ask('DELETE FROM gradus_signs WHERE prefix = $1 AND id = $2', prefix, id)
    },
    async all() {
      await ask(`DELETE FROM gradus_signs WHERE at < now() - interval '${FORGOTTEN} seconds'`)
      const { rows } = await ask(
        `SELECT extract(epoch FROM now() - at)::text AS age, sign FROM gradus_signs WHERE prefix = $1 AND at >= now() - interval '${GONE} seconds'`,
        prefix,
      )
      return signsIn(rows.map(({ age, sign }) => [String(age), String(sign)]))
    },
  }
}

function signsIn(list: readonly string[][]): (Sign & { age: number })[] {
  return list.flatMap(([age, text]) => {
    const sign = signOf(text)
    return sign ? [{ ...sign, age: Math.max(0, Number(age)) }] : []
  })
}

/** Largest number of seconds that an end waits for a server that does not answer. */
const PATIENCE = 2

/** @internal shows a sign repeatedly, in its present version, until it is ended, and reports when the server does not answer */
export class LivingSign {
  private readonly id = Math.random().toString(36).slice(2, 12)
  private readonly timer: ReturnType<typeof setInterval>
  private answered = clock.now()
  /** Seconds of silence until the next message about it. */
  private next = SILENCE.first
  private isShowing = false
  private isStale = true
  private isEnded = false

  constructor(
    private readonly signs: Signs,
    private readonly make: () => Sign,
    private readonly say: (text: string) => void,
    private readonly place: string,
  ) {
    this.timer = setInterval(() => this.tick(), 1000)
    this.tick()
  }

  /** Shows the sign soon, since something has changed. */
  async show(): Promise<void> {
    this.isStale = true
    await this.write()
  }

  async end(): Promise<void> {
    clearInterval(this.timer)
    this.isEnded = true
    await within(PATIENCE, this.signs.remove(this.id))
  }

  private tick(): void {
    const silent = (clock.now() - this.answered) / 1000
    if (silent > this.next) {
      this.say(silenceOf(this.place, silent))
      this.next += SILENCE.again
    }
    if (silent > SIGN_EVERY) this.isStale = true
    void this.write()
  }

  private async write(): Promise<void> {
    if (this.isShowing || !this.isStale || this.isEnded) return
    this.isShowing = true
    this.isStale = false
    try {
      await this.signs.show(this.id, this.make())
      if (this.next > SILENCE.first) this.say(`${this.place} answers again`)
      this.next = SILENCE.first
      this.answered = clock.now()
    } catch {
      // the next tick tries again
      this.isStale = true
    } finally {
      this.isShowing = false
    }
    // it was shown when it was ended
    if (this.isEnded) await within(PATIENCE, this.signs.remove(this.id))
  }
}
