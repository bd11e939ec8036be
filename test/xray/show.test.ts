/** X-rays as pages and as lines of a terminal. */
import { describe, expect, test } from 'vitest'
import { cellsOf } from '../../ts/common/text-width.js'
import { reportHtml as tableHtml, trainTable } from '../../ts/table/index.js'
import { reportBlocks, reportHtml, reportText } from '../../ts/xray/show.js'
import { fixture } from './fixture.js'

describe('an X-ray in a terminal', () => {
  test.each([40, 60, 80, 120])('keeps to %i columns', (width) => {
    for (const line of reportText(fixture({ layers: 30 }), { width }).split('\n')) expect(cellsOf(line), line).toBeLessThanOrEqual(width)
  })

  test('says the remedy first, and counts findings', () => {
    const text = reportText(fixture(), { width: 200 })
    expect(text).toContain('What to do (1 fault, 1 warning, 1 note)')
    expect(text).toContain(
      '• Fault: Try a learning rate of 0.008, a twelfth of the present one. 62 % of the units of layer 1 (Dense(64, 64, relu)) are dead since step 300.',
    )
    expect(reportText({ ...fixture(), verdicts: [] })).toMatch(/verdict no fault was found/)
  })

  test('draws a line for each layer, all of a figure on one scale', () => {
    const lines = reportText(fixture({ layers: 2 }), { width: 100 }).split('\n')
    const at = lines.findIndex((line) => line.startsWith('Gradient norms by layer'))
    const [first, last] = lines.slice(at + 1, at + 3)
    expect(first).toMatch(/^ {2}0 Dense\(64, 64, relu\) +[▁-█]+ +\S+$/)
    // the first layer's gradients are e^1.5 smaller
    expect(first).not.toContain('█')
    expect(last).toContain('█')
    expect(reportText(fixture({ layers: 30 }))).toContain('the first 12 of 30 layers')
  })

  test('shows rows that look mislabelled, and the end', () => {
    const text = reportText(
      {
        ...fixture(),
        suspects: Array.from({ length: 14 }, (_, row) => ({ row, margin: -2 + row / 10, label: 1, suggestion: 2 })),
        end: { kind: 'saddle', explanation: 'A saddle: one direction falls.' },
      },
      { width: 100 },
    )
    expect(text).toContain('Rows that look mislabelled (numbers among the training rows, from 0; the first 10 of 14)')
    expect(text).toContain('the end A saddle: one direction falls.')
  })

  test('leaves doubts about labels out where the net has learned little, and shares that are 0 everywhere', () => {
    const suspects = [{ row: 3, margin: -2, label: 1, suggestion: 2 }]
    const text = (right: number) => reportText({ ...fixture(), suspects, fit: { rows: 100, odd: 1, right } })
    expect(text(0.9)).toContain('Rows that look mislabelled')
    expect(text(0.4)).not.toContain('Rows that look mislabelled')
    const alive = fixture()
    for (const sample of alive.samples) sample.layers = sample.layers.map((layer) => ({ ...layer, dead: 0 }))
    expect(reportText(alive)).not.toContain('Dead units')
  })

  test('control characters in names are shown, not obeyed', () => {
    const report = fixture()
    report.layers[0] = { ...report.layers[0], name: '\u001b[2J' }
    expect(reportText(report)).not.toContain('\u001b')
    expect(reportHtml(report)).not.toContain('\u001b')
  })

  test('bears a report without samples', () => {
    const empty = { ...fixture(), samples: [], epochs: [], verdicts: [], layers: [] }
    expect(reportText(empty)).not.toMatch(/undefined|Infinity/)
    expect(reportHtml(empty)).not.toMatch(/undefined|Infinity/)
    for (const wrong of [undefined, {}, 'x']) {
      expect(() => reportText(wrong as never)).toThrow(/^reportText: wants a report/)
      expect(() => reportHtml(wrong as never)).toThrow(/^reportHtml: wants a report/)
    }
  })
})

test('the page has a picture of each panel and all verdicts with the numbers of the first picture', () => {
  const html = reportHtml(fixture())
  expect(html.match(/<svg/g)).toHaveLength(7)
  expect(html).toContain('<li>1. Fault: Try a learning rate')
  expect(html).not.toMatch(/NaN|undefined/)
  expect(JSON.parse(JSON.stringify(reportBlocks(fixture())))).toHaveLength(reportBlocks(fixture()).length)
})

test('blocks stand in the page of a table, and nothing else does', async () => {
  const rows = Array.from({ length: 30 }, (_, i) => ({ x: i, y: 2 * i + 1 }))
  const { report } = await trainTable(rows, { target: 'y', hidden: [] })
  expect(tableHtml(report, reportBlocks(fixture()))).toMatch(/Predicting ‘y’.*Gradient norms by layer/s)
  for (const wrong of [null, 3, 'x', [1], [null], [{ kind: 'toString', title: '' }], [{ title: 'x' }]])
    expect(() => tableHtml(report, wrong as never)).toThrow(
      /^reportHtml: also wants blocks, as reportBlocks of gradus\/xray returns them, got /,
    )
  expect(() => reportBlocks({} as never)).toThrow(/^reportBlocks: wants a report/)
})
