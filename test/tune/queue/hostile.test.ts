/** Hostile data on a server: jobs that name code of their own, and worse. A worker runs only the modules that it was started with. */
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { Queue } from 'bullmq'
import { afterAll, describe, expect, test } from 'vitest'
import { createStudy, float, runWorker } from '../../../ts/tune/index.js'
import { checkedJob, signOf } from '../../../ts/tune/queue/job.js'
import { allowedModule } from '../../../ts/tune/queue/modules.js'
import { redis, redisServer } from './servers.js'

const folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'gradus-hostile-')))
const inside = path.join(folder, 'objectives')
mkdirSync(inside)
afterAll(() => rmSync(folder, { recursive: true }))
/** A file that exists if hostile code has run. */
const MARK = path.join(folder, 'ran')
const EVIL = `require('node:fs').writeFileSync(${JSON.stringify(MARK)}, '')`
const EVIL_MODULE = `import fs from 'node:fs'; fs.writeFileSync(${JSON.stringify(MARK)}, ''); export default () => 0`
writeFileSync(path.join(folder, 'outside.mjs'), EVIL_MODULE)
writeFileSync(path.join(inside, 'good.mjs'), 'export default ({ x }) => x * x\nexport const make = ({ add }) => ({ x }) => x + add\n')
writeFileSync(path.join(inside, 'more.mjs'), `${EVIL_MODULE}\nexport const clean = () => fs.rmSync('.')\n`)
symlinkSync(path.join(folder, 'outside.mjs'), path.join(inside, 'link.mjs'))
symlinkSync(folder, path.join(inside, 'up'))
writeFileSync(path.join(inside, '.hidden.mjs'), EVIL_MODULE)

const DATA = `data:text/javascript,${encodeURIComponent(EVIL_MODULE)}`
const OUTSIDE = path.join(folder, 'outside.mjs')

/** Objectives with modules that the worker was not started with. */
const HOSTILE: Record<string, { name?: string; url?: string; factory?: string; options?: unknown; hash?: string }> = {
  'the form of before, with code in a URL': { url: DATA },
  'code in a URL': { name: DATA },
  'an address': { name: 'http://127.0.0.1:1/x.mjs' },
  'a module of Node': { name: 'node:child_process', factory: 'execSync', options: `touch ${MARK}` },
  'the same without its scheme': { name: 'child_process', factory: 'execSync', options: `touch ${MARK}` },
  'a path': { name: OUTSIDE },
  'a URL of a file': { name: pathToFileURL(OUTSIDE).href },
  'a path out of the folder': { name: '../outside.mjs' },
  'a longer way out': { name: 'up/../../outside.mjs' },
  'a link to a file outside': { name: 'link.mjs' },
  'a link to a folder outside': { name: 'up/outside.mjs' },
  'a hidden file': { name: '.hidden.mjs' },
  'a text with a null': { name: 'good.mjs\0../outside.mjs' },
  'the constructor of a function': { name: 'good.mjs', factory: 'constructor', options: EVIL },
  'a method of what all objects have': { name: 'good.mjs', factory: '__defineGetter__', options: EVIL },
  'an inherited name': { name: 'constructor' },
  'a prototype': { name: '__proto__' },
  'another function of the module': { name: 'good.mjs', factory: 'make', options: { add: 5 } },
  'a function of a module that does harm when it is loaded': { name: 'more.mjs', factory: 'clean' },
  'another version': { name: 'good.mjs', hash: '0'.repeat(64) },
}

const server = redisServer()

test.runIf(server)('jobs that BullMQ itself brings run nothing but the modules of the worker', async () => {
  const own = await redis(server as string)
  await own.start()
  const said: string[] = []
  const seen: string[] = []
  const worker = await runWorker(own.url, {
    folder: inside,
    modules: { listed: { module: path.join(inside, 'good.mjs'), factories: ['make'] } },
    onMessage: (text) => said.push(text),
    onTrial: ({ number, state }) => seen.push(`${number} ${state}`),
  })
  const queue = new Queue('gradus-trials', { connection: { url: own.url } as never })
  const study = await createStudy({ space: { x: float(-1, 1) }, storage: own.url })
  try {
    for (const objective of Object.values(HOSTILE)) {
      const { number } = await study.ask()
      await queue.add('trial', { study: 'study', prefix: 'gradus', number, objective }, { removeOnComplete: true })
    }
    const wrong = [null, 5, {}, { study: 'study', prefix: 'other', number: 0, objective: { name: 'good.mjs' } }, { study: '__proto__' }]
    for (const data of wrong) await queue.add('trial', data)
    await queue.add('trial', { study: 'study', prefix: 'gradus', number: 10 ** 9, objective: { name: 'good.mjs' } })
    await expect.poll(() => said.length).toBeGreaterThanOrEqual(Object.keys(HOSTILE).length)
    await queue.obliterate({ force: true })
    expect(existsSync(MARK)).toBe(false)
    expect(seen.filter((line) => /complete|begun/.test(line))).toEqual([])
    await study.sync()
    expect(study.finished).toBe(0)
    // and the worker continues
    const good = await createStudy({ space: { x: float(-1, 1) }, storage: own.url, name: 'good' })
    await good.optimize(path.join(inside, 'good.mjs'), { trials: 3, queue: own.url, parallel: 1 })
    await good.optimize(
      { module: path.join(inside, 'good.mjs'), name: 'listed', factory: 'make', options: { add: 5 } },
      { trials: 4, queue: own.url, parallel: 1 },
    )
    expect(good.trials.map(({ state }) => state)).toEqual(['complete', 'complete', 'complete', 'complete'])
    expect(good.trials[3].value).toBe(good.trials[3].params.x + 5)
    await good.close()
  } finally {
    await queue.close()
    await worker.close()
    await study.close()
    await own.stop()
    own.remove()
  }
  expect(existsSync(MARK)).toBe(false)
})

describe('modules that a worker may run', () => {
  const allowed = {
    modules: { net: path.join(inside, 'good.mjs'), 'gradus:tune': { module: path.join(inside, 'good.mjs'), factories: ['make'] } },
    folder: inside,
  }

  test.each(
    Object.entries(HOSTILE).filter(([, { name }]) => name !== undefined && !/^(good|more)\.mjs$/.test(name)) as [
      string,
      { name: string },
    ][],
  )('not %s', async (_, objective) => {
    await expect(allowedModule(objective, allowed)).rejects.toThrow(/^this worker has no module /)
  })

  test('names, files of the folder, listed factories', async () => {
    const file = path.join(inside, 'good.mjs')
    expect((await allowedModule({ name: 'net' }, allowed)).file).toBe(file)
    expect((await allowedModule({ name: 'good.mjs' }, allowed)).file).toBe(file)
    expect((await allowedModule({ name: 'gradus:tune', factory: 'make' }, allowed)).file).toBe(file)
    await expect(allowedModule({ name: 'gradus:tune', factory: 'runWorker' }, allowed)).rejects.toThrow(
      "'gradus:tune' has make for studies, got 'runWorker'",
    )
    await expect(allowedModule({ name: 'gradus:tune' }, allowed)).rejects.toThrow('got no factory')
    // without a list the default export alone, of a module by name or in the folder
    for (const name of ['net', 'good.mjs'])
      await expect(allowedModule({ name, factory: 'make' }, allowed)).rejects.toThrow(
        `'${name}' has its default export for studies, got the factory 'make'; start the worker with runWorker(url, { modules: { '${name}': { module: './objective.js', factories: ['make'] } } })`,
      )
    await expect(allowedModule({ name: 'good.mjs' }, { modules: {} })).rejects.toThrow(
      "this worker has no module 'good.mjs'; a worker runs what it was started with, such as gradus tune worker … --module ./good.mjs",
    )
    await expect(runWorker('redis://127.0.0.1:1', { modules: { a: 'https://127.0.0.1/a.js' } })).rejects.toThrow(
      "a module wants to be a file, got 'https://127.0.0.1/a.js'",
    )
    await expect(runWorker('redis://127.0.0.1:1', { modules: { a: './none.js' } })).rejects.toThrow("there is no module './none.js'")
  })
})

test.each<[unknown, RegExp]>([
  [null, /^job: a job wants to be an object, got null/],
  [{ study: 'a', prefix: 'b', number: -1, objective: { name: 'c' } }, /^job: number wants a whole number from 0, got -1/],
  [{ study: 'a', prefix: 'b', number: 1.5, objective: { name: 'c' } }, /^job: number/],
  [{ study: 'a', prefix: 'b', number: 1, objective: { name: 7 } }, /^job: name wants a text/],
  [{ study: ['a'], prefix: 'b', number: 1, objective: { name: 'c' } }, /^job: study wants a text/],
  [{ study: 'a', prefix: 'b', number: 1, objective: { name: 'c' }, trialTime: 1e300 }, /^job: trialTime/],
  [{ study: 'a', prefix: 'b', number: 1, objective: { name: 'c', hash: 'x' } }, /^job: hash/],
])('job %j is refused', (job, message) => {
  expect(() => checkedJob(job)).toThrow(message)
})

test('signs are read with their texts made harmless, or not at all', () => {
  const sign = {
    kind: 'worker',
    host: '\u001b[2J\u202ehost',
    pid: '7',
    concurrency: -1,
    running: [{ study: 'a\nb', number: Number.NaN, seconds: 2 }],
    refused: 5,
  }
  expect(signOf(JSON.stringify(sign))).toMatchObject({
    host: '\\u001b[2J\\u202ehost',
    pid: 0,
    concurrency: 0,
    running: [{ study: 'a\\nb', number: 0 }],
    refused: [],
  })
  for (const text of ['', 'null', '[]', '{"kind":"x"}', '{"kind":"worker","running":[1]}', 'x'.repeat(1e5)])
    expect(signOf(text)).toBeUndefined()
})
