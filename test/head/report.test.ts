/** Reports on heads: their figures are those of the head, and advice never contradicts them. */
import { describe, expect, test } from 'vitest'
import { RandomStream } from '../../ts/common/random-stream.js'
import { loadHead, reportHtml, reportText, trainHead } from '../../ts/head/index.js'

/** Clouds around a point for each class; the second and third are at the same place. */
function clouds(labels: readonly string[], each: number, place: (c: number) => number = (c) => c) {
  const random = new RandomStream(1)
  const rows = Array.from({ length: labels.length * each }, (_, i) => i % labels.length)
  const vectors = rows.map((c) => Array.from({ length: 6 }, (_, j) => (j === place(c) ? 4 : 0) + random.normal()))
  return [vectors, rows.map((c) => labels[c])] as const
}

describe('a report on a head', () => {
  test('has the figures of the cross-validation, class by class', async () => {
    const head = await trainHead<string>(...clouds(['cat', 'dog', 'fish'], 20))
    const confusion = head.report?.confusion ?? []
    expect(confusion.flat().reduce((a, b) => a + b)).toBe(60)
    expect(confusion.reduce((sum, row, c) => sum + row[c], 0) / 60).toBeCloseTo(head.report?.accuracy as number, 12)
    const text = reportText(head)
    expect(text).toContain('3, of 60 examples with 6 numbers each')
    expect(text).toContain('60 rows, each by a head that did not see it (5 folds)')
    expect(text).toMatch(/fish +20 +\d+ %/)
    expect(reportHtml(head)).toContain('3 classes on vectors')
    const again = await loadHead(head.bytes())
    expect(reportText(again)).toBe(reportText(head))
  })

  test('advises what the figures say: few examples, classes alike, no better than a guess', async () => {
    const good = reportText(await trainHead<string>(...clouds(['cat', 'dog', 'fish'], 20)))
    expect(good).not.toMatch(/fewer than|taken for '|no better/)
    const alike = reportText(await trainHead<string>(...clouds(['cat', 'dog', 'fish'], 40, (c) => Math.min(c, 1))), { width: 400 })
    expect(alike).toMatch(/\d+ of 40 rows of '(dog|fish)' are taken for '(dog|fish)'/)
    expect(alike).not.toMatch(/rows of 'cat' are taken/)
    const noise = reportText(await trainHead<string>(...clouds(['cat', 'dog', 'fish'], 20, () => 0)), { width: 400 })
    expect(noise).toMatch(/no better than always saying 'cat', which is right for 33 %|taken for/)
    const few = await trainHead<string>(
      [
        [0, 1],
        [0, 2],
        [1, 0],
      ],
      ['cat', 'cat', 'dog'],
    )
    expect(reportText(few, { width: 400 })).toContain("'cat', 'dog' have fewer than 3 examples")
    const single = await trainHead<string>(
      [
        [0, 1],
        [1, 0],
      ],
      ['cat', 'dog'],
    )
    expect(reportText(single, { width: 400 })).toContain('Nothing says how good the head is')
    expect(reportHtml(single)).toContain('Nothing says')
  })

  test('shows labels and never obeys them, also after a class was added', async () => {
    const head = await trainHead<string>(...clouds(['\u001b[31mred', '<b>bold', 'x'], 10))
    expect(reportText(head)).not.toContain('\u001b')
    expect(reportHtml(head)).not.toContain('<b>bold')
    head.add([9, 9, 9, 9, 9, 9], 'new')
    expect(reportText(head)).toContain('new')
    head.forget({ label: 'x' })
    expect(reportHtml(head)).toContain('new')
  })
})

test('of many classes the file has no table of classes, and the report none', async () => {
  const labels = Array.from({ length: 60 }, (_, i) => `class ${i}`)
  const random = new RandomStream(2)
  const head = await trainHead<string>(
    [...labels, ...labels].map(() => [random.normal(), random.normal(), random.normal()]),
    [...labels, ...labels],
  )
  expect(head.report?.confusion).toEqual([])
  const text = reportText(await loadHead(head.bytes()))
  expect(text).toContain('class 59')
  expect(text).not.toMatch(/right where named|of held-out rows/)
})
