import type { BufferTensor } from '../nn/buffer.js'
import { type Module, rememberModes } from '../nn/module.js'
import type { OptimizerLike } from '../optim/wrappers/wrapper.js'
import type { Parameter } from '../parameter.js'
import type { Generator } from '../random.js'

/**
 * @internal Saves everything that a training step changes: weights, gradients, buffers such as the running statistics of batch  * normalization,
 *   optimizer state and options, random generators of layers, training modes.
 * @returns a function that restores it all, to the bit
 */
export function snapshot(model: Module, optimizer: OptimizerLike): () => void {
  const parameters = new Set([...model.parameters(), ...optimizer.groups.flatMap((group) => [...group.parameters])])
  const undo = [...[...parameters].map(rememberParameter), rememberModes(model)]
  for (const buffer of model.namedBuffers().values()) undo.push(rememberBuffer(buffer))
  for (const generator of model.namedGenerators().values()) undo.push(rememberGenerator(generator))
  const state = optimizer.state()
  return () => {
    model.backend.arena.end()
    optimizer.loadState(state)
    for (const restore of undo) restore()
  }
}

function rememberParameter(p: Parameter): () => void {
  const { gradientState, touchedRows } = p
  const values = p.data()
  const gradient = gradientState === 'none' ? null : p.gradientView().slice()
  const mark = () => Object.assign(p, { gradientState, touchedRows })
  mark()
  return () => {
    p.view().set(values)
    if (gradient !== null) p.gradientView().set(gradient)
    mark()
  }
}

function rememberBuffer(buffer: BufferTensor): () => void {
  const values = buffer.data()
  return () => buffer.view().set(values)
}

function rememberGenerator(generator: Generator): () => void {
  const { counter } = generator
  return () => {
    generator.counter = counter
  }
}
