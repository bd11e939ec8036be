/** The summary of a model: its parts, their parameters, the frozen ones. */
import { expect, test } from 'vitest'
import '../../ts/entries/node.js'
import { add, createBackend, Dense, Dropout, Module, Parameter, Sequential, summary, type Tensor } from '../../ts/index.js'

const backend = createBackend()

test('the summary of a model: its parts, their parameters, the frozen ones', () => {
  const model = new Sequential([new Dense(40, 100, { activation: 'relu', backend }), new Dropout(0.1), new Dense(100, 3)], { backend })
  model.parameters()[0].requiresGrad = false
  expect(summary(model).split('\n')).toEqual([
    '0       Dense(40, 100, relu)  4,100',
    '1       Dropout(0.1)              0',
    '2       Dense(100, 3)           303',
    'total                         4,403',
    'frozen                        4,000',
  ])
})

test('the summary of a model of one: what it holds itself comes under its own name', () => {
  class Scaled extends Module {
    readonly scale = new Parameter([1, 1], { backend })
    readonly body = new Sequential([new Dense(2, 2)])
    forward(x: Tensor): Tensor {
      return add(this.scale, this.body.forward(x))
    }
  }
  expect(summary(new Scaled({ backend })).split('\n')).toEqual([
    '        Scaled       2',
    'body.0  Dense(2, 2)  6',
    'total                8',
  ])
})
