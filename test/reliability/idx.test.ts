/** IDX files from strangers: valid files are read, all others are refused with the name of the parser. */
import { expect, test } from 'vitest'
import { parseIdx } from '../../ts/data/index.js'
import { idxFile } from '../tools/hostile-files.js'

test.each<[string, Uint8Array, number[]]>([
  ['bytes', idxFile(8, [2], [1, 255]), [1, 255]],
  ['signed bytes', idxFile(9, [2], [1, 255]), [1, -1]],
  ['16 bits, the high byte first', idxFile(11, [1], [1, 2]), [258]],
  ['32 bits', idxFile(12, [1], [255, 255, 255, 254]), [-2]],
  ['float32', idxFile(13, [1], [0x3f, 0x80, 0, 0]), [1]],
  ['float64', idxFile(14, [1], [0x3f, 0xf0, 0, 0, 0, 0, 0, 0]), [1]],
  ['no elements', idxFile(8, [0, 7]), []],
  ['no dimensions', idxFile(8, [], [5]), [5]],
])('fault 23: reads %s', (_, file, values) => expect([...parseIdx(file).data]).toEqual(values))

test.each<[string, Uint8Array, RegExp]>([
  ['nothing', new Uint8Array(0), /truncated: 0 bytes/],
  ['a header cut short', idxFile(8, [2, 2]).subarray(0, 9), /truncated: a header of 2 dimensions has 12 bytes/],
  ['elements that are missing', idxFile(12, [2], [0, 0, 0, 0]), /truncated: the header promises int32 \[2\], 16 bytes/],
  ['bytes left over', idxFile(8, [1], [1, 2]), /left over/],
  ['sizes whose product no number holds', idxFile(14, [0xffffffff, 0xffffffff, 0xffffffff]), /truncated: the header promises/],
  ['255 dimensions, in a short message', idxFile(8, new Array(255).fill(1)), /int8 \[1, 1, 1, 1, … 255 dimensions in all\], 1025 bytes/],
  ['more dimensions than bytes', Uint8Array.of(0, 0, 8, 255, 0), /a header of 255 dimensions/],
  ['a type that is none', idxFile(10, [1], [1]), /0x0a is no IDX element type/],
  ['another format', Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50), /no IDX file/],
  ['a packed file', Uint8Array.of(0x1f, 0x8b, 8, 0), /gzip-compressed/],
])('fault 23: refuses %s', (_, file, message) => {
  expect(() => parseIdx(file)).toThrow(RangeError)
  expect(() => parseIdx(file)).toThrow(message)
})
