/** 256-bit vectors: the command requests them automatically, a program only by `load({ widen: true })`; the bits are the same as without. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterEach, describe, expect, test } from 'vitest'
import { withAllKernels } from '../../../ts/backend/js/all.js'
import { TILES } from '../../../ts/backend/kernels.js'
import { tilesFor } from '../../../ts/backend/wasm/tiles.js'
import { checkWidened, enableWidening } from '../../../ts/backend/wasm/widen.js'
import { createBackend, load } from '../../../ts/index.js'
import { hasAvx2, NODES } from '../../backend/wasm/widen/nodes.js'
import { bundled } from '../../tools/bundled.js'
import { NIGHTLY } from '../../tools/nightly.js'

const run = promisify(execFile)
const OLD = process.execPath
/** Nodes that the command widens on: not 22, which leaves the fused multiply-add as it is. */
const NEW = hasAvx2 ? NODES.filter(({ variants }) => variants.includes('relaxed')) : []
const SAYS = /256|widen/i

interface Outcome {
  stdout: string
  stderr: string
}

const COMMAND = bundled('widen-command', 'ts/cli/main.ts')
const LIBRARY = bundled('widen-library', 'ts/index.ts')

/** Runs the command from source; rejects unless its exit code is 0. */
const gradus = (node: string, args: readonly string[], flags: readonly string[] = []): Promise<Outcome> =>
  run(node, [...flags, COMMAND, ...args], { env: { ...process.env, NO_COLOR: '1' } })

const TRAIN = ['train', 'moons', '--no-compare', '--epochs', '3', '--hidden', '64,64']
const BENCH = ['bench', '--seconds', '0.01']
/** Both commands request widening by the same call, so the suite tests only one of them. */
const COMMANDS: [string, string[]][] = [['train', TRAIN], ...(NIGHTLY ? [['bench', BENCH] as [string, string[]]] : [])]

/** All that training reports but the time that it took. */
async function trained(node: string, args: readonly string[]): Promise<object> {
  const { stdout } = await gradus(node, [...TRAIN, '--json', ...args])
  const { widened, variant, epochs, test } = JSON.parse(stdout)
  return { widened, variant, epochs: epochs.map(({ loss, validation }: { loss: number; validation: object }) => [loss, validation]), test }
}

describe('the command on an engine that does not widen goes on without a word', () => {
  test.each(COMMANDS)('%s', async (_, args) => {
    const { stdout, stderr } = await gradus(OLD, args)
    expect(stderr).toBe('')
    expect(stdout).toContain('WebAssembly')
    expect(stdout).not.toMatch(SAYS)
  })
})

describe.each(NEW)('the command on $title', ({ node }) => {
  test.each(COMMANDS)('%s widens and says so', async (_, args) => {
    expect((await gradus(node, args)).stdout).toContain('widened to 256 bits (same bits, checked; --no-widen turns it off)')
  })

  test('says nothing if it is not to', async () => {
    expect((await gradus(node, [...TRAIN, '--no-widen'])).stdout).not.toMatch(SAYS)
  })

  test.each(NIGHTLY ? ['relaxed', 'simd'] : ['relaxed'])('%s trains to the same bits, widened or not', async (variant) => {
    const [wide, narrow] = await Promise.all([trained(node, ['--variant', variant]), trained(node, ['--variant', variant, '--no-widen'])])
    expect(wide).toMatchObject({ widened: true, variant })
    expect(narrow).toMatchObject({ widened: false, variant })
    expect({ ...wide, widened: false }).toEqual(narrow)
  })

  test.each(COMMANDS)('%s goes on without a word where kernels fail their check', async (_, args) => {
    const broken = ['--import', './test/backend/wasm/widen/broken.mjs']
    const { stdout, stderr } = await gradus(node, args, broken)
    expect(stderr).toBe('')
    expect(stdout).toContain('WebAssembly')
    expect(stdout).not.toMatch(SAYS)
  })

  test('a usage error is told once', async () => {
    await expect(gradus(node, ['train', 'no-such-file.csv'])).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^error: [^\n]*no-such-file.csv[^\n]*\n$/),
    })
  })
})

describe('a program', () => {
  const script = (options: string) => `
    import { load } from '${LIBRARY}'
    const { kernels, heap, widened } = await load(${options})
    const at = heap.allocate(3 * 64 * 64)
    const [a, b, c] = [0, 1, 2].map((i) => at + i * 64 * 64 * 4)
    for (let i = 0; i < 2000; i++) kernels.matmul(a, b, c, 64, 64, 64, 0, heap.scratch)
    console.log('widened', widened)`
  const traced = (node: string, options: string) =>
    run(node, ['--trace-wasm-revectorize', '--input-type=module', '--eval', script(options)], { maxBuffer: 1 << 28 })

  test.each(NEW)('on $title has 256-bit vectors only if it asks', async ({ node }) => {
    const [plain, asked] = await Promise.all([traced(node, ''), traced(node, '{ widen: true }')])
    expect(plain.stdout).toBe('widened false\n')
    expect(asked.stdout).toMatch(/^Revec: /m)
    expect(asked.stdout).toContain('widened true')
  })

  test('asks in vain on an engine that does not', async () => {
    expect(process.versions.v8 < '13').toBe(true)
    expect((await load({ widen: true })).widened).toBe(false)
    expect((await load()).widened).toBe(false)
  })
})

describe('V8 is asked', () => {
  const real = globalThis.process
  afterEach(() => void Object.defineProperty(globalThis, 'process', { value: real, configurable: true, writable: true }))

  /** The flags that `act` sets, in a process of this kind. */
  function flags(act: () => void, { versions = { v8: '13.6.233' } as object, arch = 'x64' } = {}): string[] {
    const set: string[] = []
    const v8 = { setFlagsFromString: (flag: string) => set.push(flag) }
    const value = Object.assign(Object.create(real), { getBuiltinModule: (name: string) => (name === 'node:v8' ? v8 : undefined) })
    Object.defineProperties(value, { versions: { value: versions }, arch: { value: arch } })
    Object.defineProperty(globalThis, 'process', { value, configurable: true, writable: true })
    act()
    return set
  }

  test('by enableWidening, where it can', () => {
    const ask = () => expect(enableWidening()).toBe(true)
    const vain = () => expect(enableWidening()).toBe(false)
    expect(flags(ask)).toEqual(['--experimental-wasm-revectorize'])
    for (const versions of [{}, { v8: '12.4.254' }, { v8: '13.6', bun: '1.3' }, { v8: '14.0', deno: '2.5' }]) {
      expect(flags(vain, { versions })).toEqual([])
    }
    expect(flags(vain, { arch: 'arm64' })).toEqual([])
  })

  test('by nothing but widen: true', () => {
    expect(flags(() => createBackend({ backend: 'wasm' }))).toEqual([])
    expect(flags(() => createBackend({ backend: 'wasm', widen: false, variant: 'simd' }))).toEqual([])
    expect(flags(() => createBackend({ backend: 'wasm', widen: true }))).toEqual(['--experimental-wasm-revectorize'])
  })
})

describe('the check of widened kernels', () => {
  /** A backend with a kernel that flips a bit of its result from a certain call on; y is the argument with the address of the result. */
  function flipping(name: 'matmul' | 'crossEntropyProbabilities' | 'activationForward', y: number, from: number) {
    const backend = createBackend({ backend: 'wasm' })
    const kernel = withAllKernels(backend)[name] as (...args: number[]) => void
    let calls = 0
    const flipped = (...args: number[]) => {
      kernel(...args)
      if (++calls >= from) heap.intView(args[y], 1)[0] ^= 1
    }
    const { heap } = backend
    return { ...backend, kernels: { ...backend.kernels, [name]: flipped } }
  }

  test.each([
    ['matmul', 2],
    ['crossEntropyProbabilities', 3],
    ['activationForward', 1],
  ] as const)('finds one other bit of %s', (name, y) => {
    for (const from of [2, 100])
      expect(() => checkWidened(flipping(name, y, from))).toThrow(/widening changes the results.*without `widen`/)
  })

  test('passes where bits stay, and leaves the tile that was the faster', () => {
    const backend = createBackend({ backend: 'wasm' })
    const tiles: number[] = []
    const { setTile } = backend.kernels as unknown as { setTile(tile: number): void }
    const watched = (tile: number) => {
      tiles.push(tile)
      setTile(tile)
    }
    const kernels = { ...backend.kernels, setTile: watched }
    const chosen: number[] = []
    const wide = checkWidened({ ...backend, kernels } as typeof backend, (tile) => chosen.push(tile))
    expect(tiles).toEqual([...tilesFor(backend.variant as 'relaxed'), ...chosen])
    expect(wide).toBe(TILES[chosen[0]].endsWith('x16'))
  })
})
