/** Weights of a diverged training never replace a good file, and are never loaded silently. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import {
  BatchNorm,
  type BufferTensor,
  type BuildContext,
  Dense,
  decodeState,
  Ensemble,
  encodeModel,
  encodeState,
  loadModel,
  Module,
  NonFiniteError,
  Sequential,
  saveModel,
  saveState,
  type Tensor,
} from '../../ts/index.js'

const make = () => new Sequential([new Dense(2, 3), new BatchNorm(3), new Dense(3, 1)], { seed: 1 })

function broken(value: number, index = 0): Sequential {
  const model = make()
  ;(model as Sequential).parameters()[index].view()[1] = value
  return model as Sequential
}

test.each([Number.NaN, Infinity, -Infinity])('a parameter that is %s, at saving', (value) => {
  for (const [save, name] of [
    [() => encodeModel(broken(value)), "encodeModel: '0.weight'"],
    [() => encodeModel(broken(value), {}, { weights: 'float16' }), "encodeModel: '0.weight'"],
    [() => encodeModel(make(), { teacher: broken(value, 4) }), "encodeModel: 'teacher.2.weight'"],
    [() => encodeModel(new Ensemble([make(), broken(value)])), "encodeModel: 'members.1.0.weight'"],
    [() => encodeState({ epoch: 1, net: { model: broken(value) } }), "encodeState: 'net.model.0.weight'"],
  ] as const) {
    expect(save).toThrow(NonFiniteError)
    expect(save).toThrow(name)
    expect(save).toThrow(new RegExp(`is ${value} at position`))
  }
})

test.each([Number.NaN, Infinity, -Infinity])('a parameter that is %s, at loading: named, and nothing is changed', (value) => {
  const model = make()
  const before = model.state()
  const state = decodeState(encodeState({ model: broken(value).state() })).model // numbers are kept as they are
  expect(() => model.loadState(state)).toThrow(NonFiniteError)
  expect(() => model.loadState(state)).toThrow(`loadState: '0.weight' is ${value} at position 1`)
  expect(model.state()).toEqual(before)
})

test('buffers may be infinite, such as a mask, and not NaN', () => {
  class Masked extends Module {
    declare mask: BufferTensor
    protected override createParameters(context: BuildContext): void {
      this.mask = this.makeBuffer(context, 'mask', [2])
    }
    forward(x: Tensor): Tensor {
      return x
    }
  }
  const [model, again] = [new Masked().build(), new Masked().build()]
  model.mask.view()[0] = -Infinity
  again.loadState(decodeState(encodeState({ model })).model)
  expect([...again.mask.data()]).toEqual([-Infinity, 0])
  model.mask.view()[0] = Number.NaN
  expect(() => encodeState({ model })).toThrow("encodeState: 'model.mask' is NaN at position 0")
  expect(() => again.loadState(model.state())).toThrow("loadState: 'mask' is NaN at position 0")
})

test('a save that is refused leaves the good file', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'gradus-nan-'))
  try {
    const [net, run] = ['net.safetensors', 'run.safetensors'].map((name) => path.join(folder, name))
    await saveModel(make(), net)
    await saveState({ model: make() }, run)
    const before = [net, run].map((file) => readFileSync(file))
    await expect(saveModel(broken(Number.NaN), net)).rejects.toThrow(NonFiniteError)
    await expect(saveState({ model: broken(Number.NaN) }, run)).rejects.toThrow(NonFiniteError)
    expect([net, run].map((file) => readFileSync(file))).toEqual(before)
    expect((await loadModel(net)).state()).toEqual(make().state())
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
