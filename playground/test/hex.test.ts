import { expect, test } from 'vitest'
import { rgbOf } from '../src/ui/hex'

test('colours of either length are read', () => {
  expect(rgbOf('#0072b2')).toEqual([0, 114, 178])
  expect(rgbOf('#fff')).toEqual([255, 255, 255])
  expect(rgbOf('#1a0')).toEqual([17, 170, 0])
})
