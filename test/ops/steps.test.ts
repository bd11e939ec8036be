/** Which steps of sequences count, from their lengths. Layers that skip steps are in test/recurrent and test/attention. */
import { expect, test } from 'vitest'
import { createBackend, zeros } from '../../ts/index.js'
import { maskOf } from '../../ts/ops/steps.js'

test('a mask from lengths has a one for each step that counts', () => {
  const x = zeros([3, 4, 2], { backend: createBackend({ backend: 'js' }) })
  for (const lengths of [[4, 1, 3], Int32Array.of(4, 1, 3)])
    expect(maskOf('GRU', x, { lengths })?.toArray()).toEqual([
      [1, 1, 1, 1],
      [1, 0, 0, 0],
      [1, 1, 1, 0],
    ])
})
