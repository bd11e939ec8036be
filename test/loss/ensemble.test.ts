/** The loss of an ensemble: the mean of its members' losses, of one member and of none. */
import { expect, test } from 'vitest'
import { crossEntropy, ensembleLoss, mse, type Tensor, tensor, zeros } from '../../ts/index.js'

test('the loss of members is the mean of theirs, and that of one member its own', () => {
  const target = tensor([[1], [2]])
  const [first, second] = [[[1], [2]], [[3], [2]]] // biome-ignore format: one line
  const loss = ensembleLoss(mse)
  const of = (...members: number[][][]) => loss(tensor(members) as Tensor, target).item()
  expect([of(first), of(second), of(first, second), of(second, second, first)]).toEqual([0, 2, 1, expect.closeTo(4 / 3, 6)])
  expect(loss(tensor(second) as Tensor, target).item()).toBe(2)
})

test('labels are shared by all members', () => {
  const logits = [[[1, 2, 3], [0, 0, 1]], [[3, 1, 0], [2, 2, 2]]] // biome-ignore format: one line
  const each = logits.map((own) => crossEntropy(tensor(own), [2, 0]).item())
  expect(ensembleLoss(crossEntropy)(tensor(logits) as Tensor, tensor(Int32Array.of(2, 0))).item()).toBeCloseTo((each[0] + each[1]) / 2, 6)
})

test('no members are refused', () => {
  expect(() => ensembleLoss(mse)(zeros([0, 2, 1]) as Tensor, tensor([[1], [2]]))).toThrow(
    'ensembleLoss: wants predictions [members, rows, …], got shape [0, 2, 1]',
  )
})
