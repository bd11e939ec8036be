/** Threads: whole trainings give the same bits; threads may be missing, slow or broken; and they end. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import type { Update } from '../../../ts/backend/kernels.js'
import { automaticThreads } from '../../../ts/backend/threads/index.js'
import { Pool } from '../../../ts/backend/threads/pool.js'
import { BLOCK, IDLE, STOP, TAKEN } from '../../../ts/backend/threads/protocol.js'
import { withMemoryImported } from '../../../ts/backend/wasm/imported-memory.js'
import { instantiate } from '../../../ts/backend/wasm/load.js'
import { wantedThreads } from '../../../ts/backend/wasm/load.none.js'
import { DOUBLES, UPDATES } from '../../../ts/backend/wasm/parts.js'
import { clock } from '../../../ts/common/clock.js'
import { supportedVariants } from '../../../ts/debug/index.js'
import {
  Adam,
  type Backend,
  type BackendOptions,
  createBackend,
  crossEntropy,
  Dense,
  fit,
  Generator,
  Lion,
  type Module,
  Muon,
  Sequential,
  tensor,
  zeros,
} from '../../../ts/index.js'
import { bundled } from '../../tools/bundled.js'
import { team } from '../../tools/threads.js'

const ROWS = 96
const inputs = Float32Array.from(new Generator(5).uniforms(ROWS * 160))
const labels = Int32Array.from({ length: ROWS }, (_, i) => i % 10)

function net(backend: Backend): Sequential {
  const layers = [new Dense(160, 200, { activation: 'gelu' }), new Dense(200, 120, { activation: 'relu' }), new Dense(120, 10)]
  return new Sequential(layers, { seed: 1, backend })
}

const weights = (model: Sequential) => model.parameters().map((p) => p.data())

function trained(backend: Backend, Optimizer: typeof Adam | typeof Muon | typeof Lion = Adam): unknown[] {
  const model = net(backend)
  const optimizer = new Optimizer(model.parameters(), { learningRate: 1e-2 })
  const x = tensor(inputs, [ROWS, 160], { backend })
  for (let step = 0; step < 12; step++) {
    crossEntropy(model.forward(x), labels).backward()
    optimizer.step()
  }
  return [weights(model), model.predict(x).data()]
}

async function fitted(backend: Backend): Promise<unknown[]> {
  const model = net(backend)
  const optimizer = new Adam(model.parameters())
  const data = { inputs: tensor(inputs, [ROWS, 160], { backend }), targets: labels }
  const { epochs } = await fit(model, { ...data, loss: crossEntropy, optimizer, batchSize: 40, epochs: 3, seed: 2 })
  return [weights(model), epochs.map(({ loss }) => loss)]
}

describe.each(supportedVariants())('%s: training gives the bits of one thread', (variant) => {
  const one = createBackend({ variant })
  const all = async (backend: Backend) => [...[Adam, Muon, Lion].map((rule) => trained(backend, rule)), await fitted(backend)]
  let wanted: unknown[]
  beforeAll(async () => {
    wanted = await all(one)
  })

  test.each([1, 2, 3, 4])('with %i threads', async (threads) => {
    const backend = createBackend({ variant, threads })
    await backend.ready
    expect(backend.threads).toBe(threads)
    const run = vi.spyOn(Pool.prototype, 'run')
    try {
      expect(await all(backend)).toEqual(wanted)
      if (threads > 1) expect(run.mock.calls.length).toBeGreaterThan(0)
      else expect(run).not.toHaveBeenCalled()
    } finally {
      run.mockRestore()
    }
  })

  test('and before its workers have started', () => {
    const backend = createBackend({ variant, threads: 2 })
    expect(backend.threads).toBe(1)
    expect(trained(backend)).toEqual(wanted[0])
  })
})

/** A parameter of 200,000 floats after an update. */
function updated({ heap, arena }: Backend, update: Update): Float32Array {
  const n = 200_000
  const scope = arena.openScope()
  const [p, g, s, h] = [n, n, n, 64].map((size) => arena.allocate(4 * size))
  for (const ptr of [p, g, s, h]) heap.view(ptr, 64).fill(0.5)
  heap.view(p, n).fill(1)
  heap.view(g, n).set(Float32Array.from({ length: n }, (_, i) => Math.sin(i)))
  heap.view(s, n).fill(0)
  update(p, g, s, n, n, h)
  arena.closeScope(scope)
  return heap.view(p, n).slice() as Float32Array
}

test('kernels that load later reach workers whether they look for work, sleep, or have not started', async () => {
  const early = createBackend({ threads: 3 })
  const update = early.update('lion', UPDATES)
  await early.ready
  const late = createBackend({ threads: 3 })
  await late.ready
  for (const [backend, kernel] of [
    [early, update],
    [late, late.update('lion', UPDATES)],
  ] as const) {
    backend.part(DOUBLES)
    const run = vi.spyOn(Pool.prototype, 'run')
    try {
      const call = () => updated(backend, kernel as Update)
      const wanted = call()
      while (run.mock.calls.length === 0) {
        await new Promise((resolve) => setTimeout(resolve, 1))
        expect(call()).toEqual(wanted)
      }
    } finally {
      run.mockRestore()
    }
  }
})

test('a small net stays on one thread', async () => {
  const backend = createBackend({ threads: 2 })
  await backend.ready
  const run = vi.spyOn(Pool.prototype, 'run')
  const model = new Sequential([new Dense(32, 64, { activation: 'relu' }), new Dense(64, 64, { activation: 'relu' }), new Dense(64, 1)], {
    backend,
  })
  const optimizer = new Adam(model.parameters())
  const x = zeros([64, 32], { backend })
  model.forward(x).backward(zeros([64, 1], { backend }))
  optimizer.step()
  expect(run).not.toHaveBeenCalled()
  run.mockRestore()
})

test('so does one of sixteen layers of 64, its update included; that of 784-128-10 is shared', async () => {
  const backend = createBackend({ backend: 'wasm', threads: 2 })
  await backend.ready
  const run = vi.spyOn(Pool.prototype, 'runShared')
  const layers = Array.from({ length: 16 }, () => new Dense(64, 64, { activation: 'relu' }))
  for (const [model, inputs] of [
    [new Sequential([...layers, new Dense(64, 10)], { backend }), 64],
    [new Sequential([new Dense(784, 128), new Dense(128, 10)], { backend }), 784],
  ] as const) {
    const optimizer = new Adam(model.parameters())
    ;(model as Module).forward(zeros([4, inputs], { backend })).backward(zeros([4, 10], { backend }))
    optimizer.step()
    expect(run).toHaveBeenCalledTimes(inputs === 64 ? 0 : 1)
  }
  run.mockRestore()
})

test('memory grows under the workers, and long training leaves it as it was', async () => {
  const backend = createBackend({ threads: 2 })
  await backend.ready
  const first = backend.heap.totalBytes
  const model = new Sequential([new Dense(1024, 1024, { activation: 'relu' }), new Dense(1024, 8)], { seed: 1, backend })
  const optimizer = new Adam(model.parameters())
  const x = tensor(Float32Array.from(new Generator(1).uniforms(64 * 1024)), [64, 1024], { backend })
  const loss = () => crossEntropy(model.forward(x), labels.map((label) => label % 8).slice(0, 64))
  const before = loss().item()
  const footprint = () => [backend.heap.totalBytes, backend.heap.usedBytes]
  let early: number[] = []
  for (let step = 0; step < 30; step++) {
    loss().backward()
    optimizer.step()
    if (step === 5) early = footprint()
  }
  expect(backend.heap.totalBytes).toBeGreaterThan(first)
  expect(footprint()).toEqual(early)
  expect(loss().item()).toBeLessThan(before / 2)
})

test('a memory limit holds for shared memory', () => {
  const small = createBackend({ threads: 2, memoryLimit: 3.5e6 })
  expect(small.heap.totalBytes).toBeLessThanOrEqual(3.5e6)
  expect(() => small.heap.allocate(1 << 20)).toThrow(/out of memory/)
  for (const threads of [1, 2]) expect(() => createBackend({ threads, memoryLimit: 1e6 })).toThrow(/out of memory/)
  const backend = createBackend({ threads: 2, memoryLimit: 24 << 20 })
  expect(() => zeros([64 << 18], { backend }).keep()).not.toThrow()
  expect(() => backend.heap.allocate(25 << 20)).toThrow(/out of memory/)
})

describe('a pool', async () => {
  const many = await team('simd', 3)
  const fill = Object.keys(many.exports).indexOf('fill')
  const at = many.heap.allocate(3 * 64)
  const filled = (value: number) => {
    many.pool.run(fill, 3, (part) => [at + 64 * part, 16, value + part])
    return [...many.heap.view(at, 48)]
  }
  const wanted = (value: number) => Array.from({ length: 48 }, (_, i) => value + Math.floor(i / 16))

  test('gives a share back that no worker begins, and goes on when workers are gone', async () => {
    for (let value = 0; value < 200; value++) expect(filled(value)).toEqual(wanted(value))
    const { words } = many.pool as unknown as { words: Int32Array }
    Atomics.store(words, 0, STOP)
    Atomics.notify(words, 0)
    await new Promise((resolve) => setTimeout(resolve, 50))
    Atomics.store(words, 0, IDLE)
    for (let value = 0; value < 200; value++) expect(filled(value)).toEqual(wanted(value))
  })

  test('throws what a share throws, and works on', () => {
    const beyond = many.heap.totalBytes + (1 << 28)
    const run = (broken: number) => many.pool.run(fill, 3, (part) => [part === broken ? beyond : at, 16, 1])
    const { words } = many.pool as unknown as { words: Int32Array }
    for (const part of [0, 1, 2]) {
      expect(() => run(part)).toThrow(WebAssembly.RuntimeError)
      expect([words[0], words[BLOCK / 4]]).toEqual([IDLE, IDLE])
    }
    expect(filled(7)).toEqual(wanted(7))
  })

  test('counts the workers that are left', async () => {
    const { pool, heap } = await team('simd', 3)
    expect(pool.size).toBe(3)
    const [x, beyond] = [heap.allocate(64), heap.totalBytes + (1 << 28)]
    // repeated until a worker begins the share, before main takes it back
    for (let i = 0; i < 2000 && pool.size === 3; i++) {
      const slow = (part: number) => {
        if (part === 0) for (const end = performance.now() + 1; performance.now() < end; );
        return [part === 1 ? beyond : x, 16, 1]
      }
      expect(() => pool.run(fill, 3, slow)).toThrow(WebAssembly.RuntimeError)
    }
    expect(pool.size).toBe(2)
    expect(Pool.prototype.sharesFor.call(pool, 1e6)).toBeLessThanOrEqual(2)
    const y = heap.allocate(3 * 64)
    pool.run(fill, 3, (part) => [y + 64 * part, 16, part])
    expect([...heap.view(y, 48)]).toEqual(wanted(0))
  })

  test('does not wait for ever for a worker that died in the midst of its share', async () => {
    const { pool, heap } = await team('simd', 3)
    const { words } = pool as unknown as { words: Int32Array }
    const x = heap.allocate(3 * 64)
    Atomics.store(words, 0, STOP)
    Atomics.notify(words, 0)
    await new Promise((resolve) => setTimeout(resolve, 50))
    let time = 0
    const spied = vi.spyOn(clock, 'now').mockImplementation(() => (time += 1000))
    const dying = (part: number) => {
      if (part === 0) Atomics.store(words, 0, TAKEN)
      return [x + 64 * part, 16, part]
    }
    try {
      expect(() => pool.run(fill, 3, dying)).toThrow(/a thread has not finished its share .* load a saved state/)
    } finally {
      spied.mockRestore()
    }
    expect(pool.size).toBe(2)
    pool.run(fill, 3, (part) => [x + 64 * part, 16, part])
    expect([...heap.view(x, 48)]).toEqual(wanted(0))
  })

  test('shares from some ten microseconds a thread on', async () => {
    const { pool } = await team('simd', 3)
    const parts = (nanoseconds: number) => Pool.prototype.sharesFor.call(pool, nanoseconds)
    expect([1e3, 1e4, 1e5, 1e6].map(parts)).toEqual([1, 1, 3, 3])
  })

  test('runs a module that differs from the other in where its memory comes from', () => {
    expect(Object.keys(many.exports)).toEqual(Object.keys(instantiate('simd')))
    const bytes = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0, 1, 1, 0, 5, 3, 1, 0, 1)
    const module = new WebAssembly.Module(withMemoryImported(bytes, true))
    expect(WebAssembly.Module.imports(module)).toEqual([{ module: 'env', name: 'memory', kind: 'memory' }])
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 65_536, shared: true })
    expect(() => new WebAssembly.Instance(module, { env: { memory } })).not.toThrow()
  })
})

describe('options', () => {
  test('auto is some of the processors, and no option is one', async () => {
    expect([1, 2, 3, 4, 7, 8, 16, 17, 64].map(automaticThreads)).toEqual([1, 2, 2, 2, 4, 4, 8, 8, 8])
    const backend = createBackend({ threads: 'auto' })
    await backend.ready
    expect(backend.threads).toBeGreaterThanOrEqual(1)
    expect(backend.threads).toBeLessThanOrEqual(8)
    expect(createBackend().threads).toBe(1)
    expect(createBackend({ backend: 'js' }).threads).toBe(1)
  })

  test.each([0, 17, 1.5, Number.NaN, -2, '2', null])('threads %j is refused', (threads) => {
    expect(() => createBackend({ threads } as BackendOptions)).toThrow(/load: threads wants 'auto' or a whole number from 1 to 16, got/)
  })

  test('JavaScript has one thread', () => {
    expect(() => createBackend({ backend: 'js', threads: 2 })).toThrow(/load: threads are for the backend 'wasm'/)
    for (const threads of [1, 'auto'] as const) expect(createBackend({ backend: 'js', threads }).threads).toBe(1)
  })
})

test('gradus/js has one thread, and says so where more are asked for', () => {
  expect([undefined, 1, 'auto' as const].map(wantedThreads)).toEqual([1, 1, 1])
  for (const threads of [2, 0, 1.5, '2' as 'auto']) {
    expect(() => wantedThreads(threads)).toThrow(
      /threads are for WebAssembly, and gradus\/js has one: threads wants 1 or 'auto' here, got /,
    )
  }
})

describe('a process', () => {
  const PROGRAM = `
    import { existsSync, readFileSync } from 'node:fs'
    const warnings = []
    console.warn = (text) => warnings.push(text)
    const { createBackend, crossEntropy, Dense, load, Sequential, zeros } = await import('${bundled('threads', 'ts/index.ts')}')
    const work = ({ kernels, heap }) => {
      const [a, b, c] = [1, 2, 3].map(() => heap.allocate(4 * 256 * 256))
      for (let i = 0; i < 10; i++) kernels.matmul(a, b, c, 256, 256, 256, 0, heap.scratch)
    }
    const threads = () => Number(/Threads:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1])
  `
  const run = async (body: string, flags: string[] = []) => {
    const args = [...flags, '--input-type=module', '--eval', PROGRAM + body]
    const result = await promisify(execFile)(process.execPath, args, { timeout: 300_000 }).catch((error) => error)
    const { code = 0, stdout, stderr, killed = false } = result
    return { code, stdout: stdout as string, stderr: stderr as string, killed }
  }

  test('ends by itself', async () => {
    const { code, stdout, killed } = await run('const b = await load({ threads: 3 }); work(b); console.log(b.threads)')
    expect([code, stdout]).toEqual([0, '3\n'])
    expect(killed, 'it does not wait for its workers, which would be for ever').toBe(false)
  })

  test('ends where workers have not even started', async () => {
    const { code, stdout } = await run('const b = createBackend({ threads: 3 }); work(b); console.log(b.threads)')
    expect([code, stdout]).toEqual([0, '1\n'])
  })

  test('ends with an error that nobody catches', async () => {
    const { code, stderr, killed } = await run("work(await load({ threads: 2 })); throw new Error('on purpose')")
    expect([code, killed]).toEqual([1, false])
    expect(stderr).toContain('on purpose')
  })

  test('ends when told to, in the midst of it', async () => {
    const { code, killed } = await run(
      'const b = await load({ threads: 2 }); work(b); setInterval(() => work(b), 1); setTimeout(() => process.exit(3), 50)',
    )
    expect([code, killed]).toEqual([3, false])
  })

  test('without SharedArrayBuffer has one thread, and a warning names the headers', async () => {
    const { stdout } = await run(`
      delete globalThis.SharedArrayBuffer
      const backends = [await load({ threads: 2 }), createBackend({ threads: 4 })]
      backends.forEach(work)
      console.log(JSON.stringify([backends.map((b) => b.threads), warnings]))`)
    const [threads, warnings] = JSON.parse(stdout)
    expect(threads).toEqual([1, 1])
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toMatch(/one thread.*SharedArrayBuffer.*Cross-Origin-Opener-Policy.*Cross-Origin-Embedder-Policy/)
  })

  test('where workers cannot start has one thread, and a warning says why', async () => {
    const { stdout } = await run(`
      process.getBuiltinModule = undefined
      const backend = await load({ threads: 2 })
      work(backend)
      globalThis.Worker = class { constructor() { throw new Error('blocked by a policy') } }
      const other = createBackend({ threads: 2 })
      await other.ready
      console.log(JSON.stringify([backend.threads, other.threads, warnings]))`)
    const [one, other, warnings] = JSON.parse(stdout)
    expect([one, other]).toEqual([1, 1])
    expect(warnings[0]).toMatch(/one thread is used: workers do not start .*Node has them from 20\.16/)
    expect(warnings[1]).toMatch(/blocked by a policy.*Content-Security-Policy has to allow blob: in worker-src/)
  })

  test.skipIf(process.platform !== 'linux')('lets the threads of a backend go that nobody has any more', async () => {
    const body = `
      const before = threads()
      await (async () => {
        const backend = createBackend({ threads: 4 })
        await backend.ready
        work(backend)
      })()
      const during = threads()
      for (let i = 0; i < 100 && threads() > before; i++) {
        gc()
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
      console.log(JSON.stringify([before, during, threads()]))`
    const [before, during, after] = JSON.parse((await run(body, ['--expose-gc'])).stdout)
    expect(during).toBeGreaterThanOrEqual(before + 3)
    expect(after).toBeLessThanOrEqual(before)
  })
})
