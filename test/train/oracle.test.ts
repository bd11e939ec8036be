/** Whole training runs against PyTorch (test/oracles/dense_nets.py): same start, same batches, same loss at every step. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { Backend } from '../../ts/backend/index.js'
import {
  type ActivationName,
  Adam,
  AdamW,
  binaryCrossEntropy,
  createBackend,
  crossEntropy,
  Dense,
  huber,
  mae,
  mse,
  type Optimizer,
  RMSProp,
  Sequential,
  SGD,
  type Tensor,
  tensor,
} from '../../ts/index.js'
import { newBackends } from '../tools/small-nets.js'

interface Case {
  id: string
  sizes: number[]
  activations: { name: ActivationName }[]
  weights: number[][]
  biases: number[][]
  x: number[][]
  targets: { kind: 'indices' | 'probabilities' | 'values'; data: number[] | number[][] }
  sampleWeights?: number[]
  loss: { name: string; delta?: number; labelSmoothing?: number }
  optimizer: { name: string; options: Record<string, never> & TorchOptions }
  batches: number[][]
  losses: number[]
  grads: { weights: number[][]; biases: number[][] }
  final: { weights: number[][]; biases: number[][] }
  tol64: { loss: number; weights: number }
  tol32: { loss: number; weights: number }
}
interface TorchOptions {
  lr: number
  momentum: number
  dampening: number
  nesterov: boolean
  weight_decay: number
  alpha: number
  eps: number
  centered: boolean
  betas: [number, number]
  amsgrad: boolean
}

const { cases } = JSON.parse(readFileSync(new URL('../oracles/dense_nets.json', import.meta.url), 'utf8')) as { cases: Case[] }

function makeOptimizer({ name, options: o }: Case['optimizer'], model: Sequential): Optimizer {
  const p = model.parameters()
  if (name === 'SGD')
    return new SGD(p, {
      learningRate: o.lr,
      momentum: o.momentum,
      dampening: o.dampening,
      nesterov: o.nesterov,
      weightDecay: o.weight_decay,
    })
  if (name === 'RMSprop') {
    return new RMSProp(p, {
      learningRate: o.lr,
      beta: o.alpha,
      epsilon: o.eps,
      momentum: o.momentum,
      centered: o.centered,
      weightDecay: o.weight_decay,
    })
  }
  const options = {
    learningRate: o.lr,
    beta1: o.betas[0],
    beta2: o.betas[1],
    epsilon: o.eps,
    weightDecay: o.weight_decay,
    amsgrad: o.amsgrad,
  }
  return name === 'Adam' ? new Adam(p, options) : new AdamW(p, options)
}

function makeModel(c: Case, backend: Backend): Sequential {
  const layers = c.activations.map(({ name }, i) => new Dense(c.sizes[i], c.sizes[i + 1], { activation: name }))
  const model = new Sequential(layers, { backend })
  layers.forEach((layer, i) => {
    layer.weight.view().set(c.weights[i])
    layer.bias?.view().set(c.biases[i])
  })
  return model
}

function lossOf(c: Case, prediction: Tensor, rows: number[], backend: Backend): Tensor {
  const weights = c.sampleWeights && rows.map((r) => c.sampleWeights?.[r] ?? 1)
  const picked = rows.map((r) => c.targets.data[r])
  const target =
    c.targets.kind === 'indices' ? tensor(Int32Array.from(picked as number[]), { backend }) : tensor(picked as number[][], { backend })
  const { name, delta, labelSmoothing } = c.loss
  if (name === 'crossEntropy') return crossEntropy(prediction, target, { weights, labelSmoothing })
  if (name === 'bce') return binaryCrossEntropy(prediction, target, { weights })
  if (name === 'huber') return huber(prediction, target, { weights, delta })
  return (name === 'mse' ? mse : mae)(prediction, target, { weights })
}

function expectNear(got: ArrayLike<number>, wanted: number[], tolerance: number, what: string): void {
  wanted.forEach((w, i) => expect(Math.abs(got[i] - w), `${what}[${i}]: ${got[i]} against ${w}`).toBeLessThanOrEqual(tolerance))
}

const backends = [
  { name: 'float64 js', backend: createBackend({ backend: 'js', dtype: 'float64' }), tol: 'tol64' as const, gradient: 1e-12 },
  ...newBackends().map((backend) => ({
    name: `float32 ${backend.variant}`,
    backend,
    tol: 'tol32' as const,
    gradient: 3e-6,
  })),
]

describe.each(backends)('$name', ({ backend, tol, gradient }) => {
  test.each(cases)('$id', (c) => {
    const model = makeModel(c, backend)
    const layers = model.layers as Dense[]
    const optimizer = makeOptimizer(c.optimizer, model)
    c.batches.forEach((rows, step) => {
      const loss = lossOf(c, model.forward(rows.map((r) => c.x[r])), rows, backend)
      const [value, wanted] = [loss.item(), c.losses[step]]
      expect(Math.abs(value - wanted), `loss of step ${step + 1}: ${value} against ${wanted}`).toBeLessThanOrEqual(
        c[tol].loss * Math.abs(wanted),
      )
      loss.backward()
      if (step === 0) {
        layers.forEach((layer, i) => {
          expectNear(layer.weight.grad?.data() ?? [], c.grads.weights[i], gradient, `gradient of weight ${i}`)
          expectNear(layer.bias?.grad?.data() ?? [], c.grads.biases[i], gradient, `gradient of bias ${i}`)
        })
      }
      optimizer.step()
    })
    layers.forEach((layer, i) => {
      expectNear(layer.weight.data(), c.final.weights[i], c[tol].weights, `weight ${i}`)
      expectNear(layer.bias?.data() ?? [], c.final.biases[i], c[tol].weights, `bias ${i}`)
    })
  })
})
