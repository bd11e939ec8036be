/** Errors that get another message, and times in lines of a terminal. */
import { expect, test } from 'vitest'
import { reword } from '../../ts/common/errors.js'
import { timeText } from '../../ts/common/terminal-line.js'

test('reword changes the message of any error that can be changed', () => {
  for (const error of [new Error('a'), new DOMException('a', 'AbortError'), Object.assign(new RangeError('a'), { code: 1 })]) {
    reword(error, (own) => `where: ${own}`)
    expect(error.message).toBe('where: a')
    expect(error.stack).toContain(`${error.name}: where: a\n`)
    expect(Object.keys(error)).not.toContain('message')
    expect(Object.keys(error)).not.toContain('stack')
  }
  const frozen = Object.freeze(new Error('a'))
  reword(frozen, () => 'b')
  expect(frozen.message).toBe('a')
  reword('a', () => 'b')
})

test.each([
  [0.04, '0.0 s'],
  [9.97, '10 s'],
  [59.4, '59 s'],
  [59.6, '1 min 0 s'],
  [119.7, '2 min 0 s'],
  [125, '2 min 5 s'],
  [Number.NaN, '…'],
])('%d seconds are %s', (seconds, text) => expect(timeText(seconds)).toBe(text))
