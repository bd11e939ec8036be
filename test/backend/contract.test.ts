/**
 * The two implementations of the kernel table agree on names and arities, and every export of the WebAssembly modules is
 * accounted for: a kernel, the update of an optimizer, or a known internal.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { DoubleKernels } from '../../ts/backend/double-kernels.js'
import { fleetName } from '../../ts/backend/fleet.js'
import { createBackend } from '../../ts/backend/index.js'
import { families } from '../../ts/backend/js/all.js'
import { createJsDoubleKernels } from '../../ts/backend/js/double.js'
import { ACTIVATIONS, COUNTER_ARGUMENTS, type Kernels, WHOLE_UPDATES } from '../../ts/backend/kernels.js'
import { ATTENTION } from '../../ts/backend/rooms/attention.js'
import { CONV } from '../../ts/backend/rooms/conv.js'
import { HEAD } from '../../ts/backend/rooms/head.js'
import { RECURRENT } from '../../ts/backend/rooms/recurrent.js'
import * as fleetParts from '../../ts/backend/wasm/fleet-parts.js'
import { instantiate, supportedVariants } from '../../ts/backend/wasm/load.js'
import * as commonParts from '../../ts/backend/wasm/parts.js'
import type { Variant } from '../../ts/backend/wasm/variants.js'
import { Program } from '../../ts/train/fast/program.js'
import { assertClose, backends, Room } from '../tools/backends.js'
import * as naive from '../tools/naive.js'
import { partBeside } from '../tools/threads.js'

const PARTS_OF_CRATE = { ...commonParts, ...fleetParts, ATTENTION, CONV, HEAD, RECURRENT }
const UPDATE_ARITY = 6
const INTERNALS = ['memory', '__stack_pointer', 'heapBase', 'setTile', 'runProgram', 'table', '__data_end', '__heap_base']
/** Kernels for shares of threads: the arguments of the kernel, then the index of the share and the number of shares. */
const SHARES = [
  ...['matmulShare', 'denseForwardShare', 'denseGradientsShare', 'convForwardShare', 'convGradientsShare'],
  ...['batchNormMomentsShare', 'batchNormForwardShare', 'batchNormBackwardShare'],
]
/** Kernels that programs of many steps run between two evaluations of a batch, for wrappers of optimizers. */
const BETWEEN = ['perturb']

/** Updates that are not the whole of a step, so that eight nets cannot take them side by side. */
const PARTS_OF_STEPS = ['prodigyStep']

const [jsBackend] = backends
/** Kernels of both precisions: floats, and doubles for the solvers. */
const table = { ...jsBackend.kernels, ...createJsDoubleKernels(jsBackend.heap) }
const names = Object.keys(table).sort() as (keyof Kernels | keyof DoubleKernels)[]

const isInternal = (name: string) => INTERNALS.includes(name) || name.startsWith('__wbindgen') || name.startsWith('__wbg')

/** Exports of crate/optim/rules/: the first argument of every `export_update!` and similar macros. */
function updates(kinds = 'update|whole|sums'): string[] {
  return exported(`^\\s*export_(?:${kinds})!\\(\\s*(\\w+)`)
}

/** Updates of eight nets side by side: the second argument of `export_update!`, if it begins with `fleet`. */
function fleetUpdates(): string[] {
  return exported('^\\s*export_update!\\(\\s*\\w+,\\s*(fleet\\w+)')
}

function exported(pattern: string): string[] {
  const folder = new URL('../../crate/optim/rules/', import.meta.url)
  const files = readdirSync(folder).filter((file) => file.endsWith('.rs') && file !== 'mod.rs')
  return files.flatMap((file) =>
    [...readFileSync(new URL(file, folder), 'utf8').matchAll(new RegExp(pattern, 'gm'))].map((match) => match[1]),
  )
}

test('each update has a kernel for eight nets, by its name, but for what is a part of a step', () => {
  const pairs = exported('^\\s*export_update!\\(([^,]+,[^,]+),').map((pair) => pair.split(',').map((name) => name.trim()))
  expect(pairs.length).toBeGreaterThan(20)
  for (const [name, second] of pairs)
    if (!PARTS_OF_STEPS.includes(name))
      expect(second, `export_update!(${name}, …) in crate/optim/rules: second is the name of its kernel for eight nets`).toBe(
        fleetName(name),
      )
})

test('threads may not share what the crate exports as a whole tensor or with sums', () => {
  expect([...WHOLE_UPDATES].sort()).toEqual(updates('whole|sums').sort())
})

test('the counter of each kernel that draws random numbers is known to recorded steps', () => {
  const signatures = readFileSync('ts/backend/kernels.ts', 'utf8').matchAll(/^ {2}(\w+)\(([^)]*\bcounter: number[^)]*)\): void/gm)
  const counters = Array.from(signatures, ([, name, args]): [string, number] => [
    name,
    args.trim().split(/,\s*/).indexOf('counter: number'),
  ])
  expect(counters.length).toBeGreaterThanOrEqual(4)
  expect(COUNTER_ARGUMENTS).toEqual(Object.fromEntries(counters))
})

test('the JS table has every family', () => {
  expect(names.length).toBeGreaterThanOrEqual(50)
  for (const name of names) expect(typeof table[name], name).toBe('function')
})

test('the plain SIMD module is built and valid, so the tests of the wasm backend do run', () => {
  expect(supportedVariants()).toContain('simd')
})

describe.each(supportedVariants())('wasm %s', (variant: Variant) => {
  const core = instantiate(variant)
  const parts = [core, ...Object.values(PARTS_OF_CRATE).map((part) => partBeside(part, variant, core))]
  const exports = Object.assign({}, ...[...parts].reverse()) as Record<string, unknown>
  const functions = Object.keys(exports).filter((name) => typeof exports[name] === 'function' && !isInternal(name))
  const arity = (name: string) => (exports[name] as (...args: number[]) => unknown).length

  test('has every kernel of the table, with the same number of arguments', () => {
    const found = names.map((name) => `${name}/${name in exports ? arity(name) : 'missing'}`)
    const remedy = "`make wasm`, if crate/abi/ has it: CONTRIBUTING.md, 'A kernel'"
    expect(found, remedy).toEqual(names.map((name) => `${name}/${table[name].length}`))
  })

  test('exports besides them exactly the updates of crate/optim/rules, the kernels of fleets and of wrappers, the shares of threads and known internals', () => {
    const kernels = new Set<string>([...names, ...SHARES, ...BETWEEN])
    for (const name of [...SHARES, ...BETWEEN]) expect(functions).toContain(name)
    const fleet = [...readFileSync('ts/backend/fleet.ts', 'utf8').matchAll(/^ {2}(fleet\w+)[(:]/gm)].map(([, name]) => name)
    const ofEight = fleetUpdates()
    expect(functions.filter((name) => name.startsWith('fleet')).sort()).toEqual([...fleet, ...ofEight].sort())
    const others = functions.filter((name) => !kernels.has(name) && !name.startsWith('fleet'))
    expect(others.sort()).toEqual(updates().sort())
    for (const name of [...others, ...ofEight]) expect(arity(name), name).toBe(UPDATE_ARITY)
  })

  test('a part has kernels of the families that name it, which lack none', () => {
    for (const [title, part] of Object.entries(PARTS_OF_CRATE)) {
      const own = Object.values(families).filter((family) => family.part === part)
      if (own.length === 0) continue
      const kernels = new Set(own.flatMap(({ loops }) => Object.keys(loops(jsBackend.heap))))
      const inPart = Object.keys(partBeside(part, variant, core)).filter((name) => !isInternal(name))
      expect(
        inPart.filter((name) => !kernels.has(name) && !SHARES.includes(name)),
        `${title}, ts/build/pack/parts.mjs`,
      ).toEqual([])
      expect(
        [...kernels].filter((name) => !inPart.includes(name) && !(name in core)),
        `${title}, ts/backend/families.ts`,
      ).toEqual([])
    }
  })

  test('no kernel is in two parts', () => {
    const all = parts.flatMap((part) => Object.keys(part)).filter((name) => !isInternal(name))
    expect(all.sort()).toEqual(functions.sort())
  })

  test('programs call each kernel that answers nothing by its own signature', () => {
    const backend = createBackend({ variant })
    const kernels = Object.assign({}, ...Object.values(PARTS_OF_CRATE).map((part) => backend.part(part)), backend.kernels)
    // kernels that sum up a whole array return a number to JavaScript
    const answering = ['sumSquares', 'sumAbs', 'maxAbs']
    for (const name of Object.keys(jsBackend.kernels).filter((kernel) => !answering.includes(kernel))) {
      const args: number[] = new Array(arity(name)).fill(0)
      const program = Program.of(kernels) as Program
      expect(program.add({ name, kernel: kernels[name], args, counter: null }), name).toBe(true)
      program.place((bytes) => backend.heap.allocate(bytes), 0)
      // an engine traps if the types of the arguments differ
      const remedy = `${name}: FLOAT_ARGUMENTS in ts/backend/kernels.ts, an arm in \`call\` of crate/abi/program.rs, or \`answering\` above`
      expect(() => expect(program.run(backend.heap.ints, 1), name).toBe(1), remedy).not.toThrow()
    }
  })

  test('an unknown signature traps', () => {
    const { memory, heapBase, runProgram } = instantiate(variant) as unknown as Record<string, (...args: number[]) => number> & {
      memory: WebAssembly.Memory
    }
    const at = Math.ceil(heapBase() / 16) * 16
    new Int32Array(memory.buffer).set([17, 1], at / 4)
    expect(() => runProgram(at, 2, at + 8, 0, 1)).toThrow(WebAssembly.RuntimeError)
  })

  test('has memory and says where free memory begins', () => {
    expect(exports.memory).toBeInstanceOf(WebAssembly.Memory)
    expect((exports as { heapBase(): number }).heapBase()).toBeGreaterThan(0)
  })
})

describe.each(backends)('$label', (backend) => {
  test('numbers the activations in the order of ACTIVATIONS', () => {
    const grid = Array.from({ length: 41 }, (_, i) => (i - 20) / 4)
    const room = new Room(backend)
    const [x, y] = [room.input(grid), room.output(grid.length)]
    ACTIVATIONS.forEach((name, number) => {
      backend.kernels.activationForward(x, y, grid.length, number)
      assertClose(backend, room.read(y, grid.length), grid.map(naive.activation[name]), () => 1e-5, `activation ${number} is ${name}`)
    })
  })
})
