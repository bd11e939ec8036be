/** Losses of embeddings: arguments that are no tensors, or of different shapes, are refused by name. */
import { expect, test } from 'vitest'
import { contrastive, cosineDistance, ShapeError, tensor, triplet } from '../../ts/index.js'

const rows = tensor([
  [1, 2],
  [3, 4],
])
const [bare, wide] = [[[1, 2]] as never, tensor([[1, 2, 3]])]

test.each<[string, () => unknown]>([
  ['contrastive', () => contrastive(bare, rows, [1, 0])],
  ['contrastive', () => contrastive(rows, bare, [1, 0])],
  ['triplet', () => triplet(bare, rows, rows)],
  ['triplet', () => triplet(rows, rows, bare)],
  ['cosineDistance', () => cosineDistance(bare, rows)],
])('%s wants tensors', (name, call) => {
  expect(call).toThrow(TypeError)
  expect(call).toThrow(`${name}: wants a Tensor, got an array of 1`)
})

test.each<[string, () => unknown]>([
  ['contrastive', () => contrastive(rows, wide, [1, 0])],
  ['triplet', () => triplet(rows, rows, wide)],
])('%s wants embeddings of one shape', (name, call) => {
  expect(call).toThrow(ShapeError)
  expect(call).toThrow(`${name}: wants embeddings of one shape [rows, size], got [2, 2], `)
})
