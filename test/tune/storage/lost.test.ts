/** Servers that lose the end of a journal: it is written again from memory, or the loss is reported; nothing waits for ever. */

import { connect, createServer, type Socket } from 'node:net'
import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { createStudy, float, openStudy, random } from '../../../ts/tune/index.js'
import type { JournalStore } from '../../../ts/tune/storage/journal.js'
import { openStore } from '../../../ts/tune/storage/open.js'
import { connectRedis } from '../../../ts/tune/storage/redis.js'
import { JournalLost, KnownEntries, serverStore } from '../../../ts/tune/storage/server.js'
import { milliseconds } from '../../tools/nightly.js'
import { postgres, postgresFolder, redis, redisServer } from '../queue/servers.js'

/** A server in memory that may lose its end, and one of its clients. */
function client(server: { log: string[] }): JournalStore {
  return serverStore(
    'server',
    {
      entriesFrom: async (from: number) => server.log.slice(from),
      async append(at: number, entries: readonly string[]) {
        if (server.log.length !== at) return false
        server.log.push(...entries)
        return true
      },
    },
    async () => {},
  )
}

const RUNS = Number(process.env.GRADUS_LOST ?? 200)

test(`fault 44: a server that loses its end at any moment: ${RUNS} random runs of one that asks and two that tell`, async () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
  const step = fc.oneof(
    fc.constant({ do: 'ask' as const }),
    fc.record({ do: fc.constant('tell' as const), who: fc.nat(1), which: fc.nat(20) }),
    fc.record({ do: fc.constant('report' as const), who: fc.nat(1), which: fc.nat(20), at: fc.nat(3) }),
    fc.record({ do: fc.constant('sync' as const), who: fc.nat(2) }),
    fc.record({ do: fc.constant('lose' as const), share: fc.double({ min: 0, max: 1, noNaN: true }) }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const server = { log: [] as string[] }
      const asker = await createStudy({ space: { x: float(0, 1) }, sampler: random(), storage: client(server) })
      const workers = [await openStudy({ storage: client(server) }), await openStudy({ storage: client(server) })]
      const asked: number[] = []
      const told = new Map<number, number>()
      for (const one of steps) {
        // each client that read before a loss restores the entries it knows: first the one that asks, as it reads all the time
        if (one.do === 'ask') asked.push((await asker.ask()).number)
        else if (one.do === 'lose') {
          server.log.splice(Math.floor(one.share * server.log.length))
          await asker.sync()
        } else if (one.do === 'sync') await [asker, ...workers][one.who].sync()
        else if (asked.length > 0) {
          const number = asked[one.which % asked.length]
          const worker = workers[one.who]
          await worker.sync()
          if (worker.isOver(number)) continue
          if (one.do === 'report') await worker.onQueue(number).report(one.at, one.at)
          else {
            await worker.tell(number, number + 0.5)
            told.set(number, number + 0.5)
            await asker.sync()
          }
        }
      }
      // every result that any client wrote and read is there once, for all clients and for a new one
      const fresh = await openStudy({ storage: client(server) })
      for (const study of [asker, ...workers, fresh]) {
        await study.sync()
        expect(study.trials.length).toBe(asked.length)
        for (const [number, value] of told) expect(study.trials[number].value).toBe(value)
      }
      await Promise.all([asker, ...workers, fresh].map((study) => study.close()))
    }),
    { numRuns: RUNS, seed: 1 },
  )
  warn.mockRestore()
})

test('two that have asked for trials since the loss cannot both be right: it is said', async () => {
  const server = { log: [] as string[] }
  const [a, b] = [client(server), client(server)]
  const first = await createStudy({ space: { x: float(0, 1) }, storage: a })
  const before = [...server.log]
  await first.ask()
  const second = await createStudy({ space: { x: float(0, 1) }, storage: b })
  server.log = before
  const third = await createStudy({ space: { x: float(0, 1) }, storage: client(server) })
  await third.ask()
  await expect(second.sync()).rejects.toThrow(JournalLost)
  await expect(first.ask()).rejects.toThrow(
    /^the journal in server has \d+ entries where \d+ were read, and they are not the same: did the server lose its data\? Run the study again/,
  )
})

test('fault 44: a server that falls silent is reported every few seconds, with no queue either, and to onMessage while trials run', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
  try {
    let answers = () => {}
    let waits = Promise.resolve()
    const log: string[] = []
    const store = serverStore(
      'server',
      {
        entriesFrom: async (from) => {
          await waits
          return log.slice(from)
        },
        append: async (_, entries) => log.push(...entries) > 0,
      },
      async () => {},
    )
    const fallSilent = () => {
      waits = new Promise((resolve) => {
        answers = resolve
      })
    }
    const study = await createStudy({ space: { x: float(-1, 1) }, sampler: random(), storage: store })
    fallSilent()
    const asked = study.ask()
    await vi.advanceTimersByTimeAsync(20_000)
    const said = (seconds: readonly number[]) => seconds.map((s) => `no answer of server for ${s} s; waiting for it`)
    expect(warn.mock.calls.flat()).toEqual(said([5, 11, 17]).map((text) => `gradus: ${text}`))
    answers()
    await study.tell(await asked, 1)
    warn.mockClear()
    const messages: string[] = []
    fallSilent()
    const optimized = study.optimize(({ x }) => x, { trials: 3, onMessage: (text) => messages.push(text) })
    await vi.advanceTimersByTimeAsync(8000)
    answers()
    await optimized
    expect([messages, warn.mock.calls]).toEqual([said([5]), []])
  } finally {
    vi.useRealTimers()
    warn.mockRestore()
  }
})

const program = redisServer()

test.runIf(program)('a study ends soon though its server is gone', async () => {
  const own = await redis(program as string)
  await own.start()
  const study = await createStudy({ space: { x: float(-1, 1) }, storage: own.url })
  await study.ask()
  await own.crash()
  const began = performance.now()
  await study.close()
  expect(performance.now() - began).toBeLessThan(milliseconds(5000))
  own.remove()
})

describe.runIf(program)('Redis that comes back with less', () => {
  test.each(['nothing of it', 'its last entries'])('has lost %s: the study goes on', async (what) => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    const own = await redis(program as string)
    await own.start()
    const study = await createStudy({ space: { x: float(-1, 1) }, storage: own.url })
    const connection = await connectRedis(own.url)
    try {
      await study.optimize(({ x }) => x * x, { trials: 10 })
      const all = await connection.eval("return redis.call('get', 'gradus:log_number')", 0)
      if (what === 'nothing of it') await connection.eval("return redis.call('flushall')", 0)
      else
        await connection.eval(
          `for i = ${Number(all) - 4}, ${Number(all)} do redis.call('del', 'gradus:log:' .. i) end; return redis.call('set', 'gradus:log_number', ${Number(all) - 5})`,
          0,
        )
      await study.optimize(({ x }) => x * x, { trials: 20 })
      expect(study.finished).toBe(20)
      expect(warn.mock.calls.flat()).toEqual([
        expect.stringMatching(
          /^gradus: redis:\/\/127\.0\.0\.1:\d+.* had lost the last \d+ entries of its journal; they are back from memory/,
        ),
      ])
      const again = await openStudy({ storage: own.url })
      expect(again.trials).toEqual(study.trials)
      await again.close()
    } finally {
      warn.mockRestore()
      connection.disconnect()
      await study.close()
      await own.stop()
      own.remove()
    }
  })
})

test.runIf(program)('what is no journal in Redis is an error, and nothing waits', async () => {
  const own = await redis(program as string)
  await own.start()
  const connection = await connectRedis(own.url)
  const study = await createStudy({ space: { x: float(-1, 1) }, storage: own.url })
  try {
    for (const wrong of ['none', 'NaN', 'Infinity', '1.5']) {
      await connection.eval("return redis.call('set', 'gradus:log_number', ARGV[1])", 0, wrong)
      await expect(study.ask()).rejects.toThrow(`gradus:log_number wants the number of an entry, got '${wrong}'`)
    }
    await connection.eval("redis.call('set', 'other:log_number', 0) return redis.call('set', 'other:log:0', 'Dear diary')", 0)
    await expect(openStudy({ storage: `${own.url}?prefix=other` })).rejects.toThrow(
      /^redis:.*, entry 1: this is no JSON, so it is no journal of a study: Dear diary/,
    )
  } finally {
    connection.disconnect()
    await study.close()
    await own.stop()
    own.remove()
  }
})

const programs = postgresFolder()

test.runIf(programs)('a client of PostgreSQL that is cut off in the midst of a write holds up nobody', async () => {
  const own = await postgres(programs as string)
  await own.start()
  let isCut = false
  const sockets = new Set<Socket>()
  const proxy = createServer((client) => {
    const server = connect(Number(new URL(own.url).port), '127.0.0.1')
    for (const [from, to] of [[client, server] as const, [server, client] as const]) {
      sockets.add(from)
      from.on('error', () => {})
      from.on('data', (data) => !isCut && to.write(data))
    }
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  const far = new URL(own.url)
  far.port = String((proxy.address() as { port: number }).port)
  const [cutOff, other] = [await openStore(far.href), await openStore(own.url)]
  const entry = (x: number) => ({ op_code: 2, worker_id: 'a', study_id: 0, user_attr: { x } })
  try {
    await new Promise<void>((resolve) => {
      const write = () => {
        isCut = true
        resolve()
        return [entry(1)]
      }
      void Promise.resolve(cutOff.transact(0, () => {}, write)).catch(() => {})
    })
    const began = performance.now()
    await other.transact(
      0,
      () => {},
      () => [entry(2)],
    )
    expect(performance.now() - began).toBeLessThan(milliseconds(4000))
  } finally {
    for (const socket of sockets) socket.destroy()
    proxy.close()
    void cutOff.close?.()
    await other.close?.()
    await own.stop()
    own.remove()
  }
})

test('a URL that cannot be read is an error without its password', async () => {
  for (const url of ['redis://me:se#cret@host:6379', 'redis://me:secret@host:99999', 'postgres://me:secret@ho st/x']) {
    const error = await createStudy({ space: { x: float(0, 1) }, storage: url }).catch(String)
    expect(error).toMatch(
      /^RangeError: the URL of a server wants to be like redis:\/\/user:password@host:6379, got one that cannot be read/,
    )
  }
})

test('no more entries are kept than are wanted', () => {
  const known = new KnownEntries('server')
  for (let i = 0; i < 50; i++) known.add(Array.from({ length: 1000 }, (_, j) => `{"n":${1000 * i + j}}`))
  expect(known.count).toBe(50_000)
  expect(known.count - known.start).toBeLessThanOrEqual(22_000)
  expect(known.isSame(['{"n":49999}'])).toBe(true)
  expect(() => known.reconcile([])).toThrow(JournalLost)
})
