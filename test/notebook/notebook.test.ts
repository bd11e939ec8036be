/** Displays of notebooks: every kind of result has text, and a picture or a page where there is one; nothing is seen by loops, JSON or clones. */
import { describe, expect, test } from 'vitest'
import { trainHead } from '../../ts/head/index.js'
import { Adam, BatchNorm, crossEntropy, Dense, evaluateModel, fit, fitMany, type History, Sequential, tensor } from '../../ts/index.js'
import { view } from '../../ts/notebook/index.js'
import { showInNotebooks } from '../../ts/report/notebook.js'
import { forecast } from '../../ts/series/index.js'
import { trainTable } from '../../ts/table/index.js'
import { createStudy, float } from '../../ts/tune/index.js'
import { XRay } from '../../ts/xray/index.js'

type Formats = Record<string, string>
/** What a kernel does with the value of a cell. */
const shown = (value: unknown): Formats => (value as Record<symbol, () => Formats>)[Symbol.for('Jupyter.display')]()

const net = () => new Sequential([new Dense(2, 4, { activation: 'tanh' }), new BatchNorm(4), new Dense(4, 2)], { seed: 1 })
const data = {
  inputs: [
    [0, 1],
    [1, 0],
    [0, 2],
    [2, 0],
  ],
  targets: [0, 1, 0, 1],
  loss: crossEntropy,
}
const trained = (epochs = 5, callbacks: XRay[] = []) => {
  const model = net()
  return fit(model, { ...data, optimizer: new Adam(model.parameters()), epochs, callbacks })
}

describe('in a notebook', () => {
  test('a history is a picture, and a chart of letters', async () => {
    const history = await trained()
    const { 'text/plain': text, 'image/svg+xml': svg } = shown(history)
    expect(text).toMatch(/5 epochs: training .*\n5 steps in [\d.e-]+ s: completed$/)
    expect(svg).toMatch(/^<svg .*<\/svg>$/s)
    expect(shown(await trained(0))['text/plain']).toMatch(/^no epoch; 0 steps/)
    const models = [net(), net()]
    const optimizers = models.map((model) => new Adam(model.parameters()))
    for (const one of await fitMany(models, { ...data, optimizers, epochs: 2 })) expect(shown(one)['image/svg+xml']).toMatch(/^<svg/)
  })

  test('a history stays plain data: JSON, clones and loops see what they saw', async () => {
    const history = await trained()
    expect(Object.keys(history)).toEqual(['epochs', 'steps', 'seconds', 'execution', 'stopReason'])
    expect(structuredClone(history)).toEqual({ ...history })
    expect(JSON.parse(JSON.stringify(history)) as History).toEqual({ ...history })
  })

  test('a tensor is a table of its first rows and columns', () => {
    expect(
      shown(
        tensor([
          [1, 2.5],
          [-3, Number.NaN],
        ]),
      ),
    ).toEqual({
      'text/plain': 'Tensor(float [2, 2])\n 1  2.5\n-3  NaN',
      'text/html': expect.stringContaining('<td style="text-align:right">2.5</td>'),
    })
    const large = shown(tensor(new Float32Array(20 * 30), [20, 30]))
    expect(large['text/plain']).toMatch(/…\n… 8 more rows$/)
    expect(large['text/html'].match(/<tr>/g)).toHaveLength(12)
    expect(shown(tensor(3))['text/plain']).toBe('Tensor(float [])\n3')
    expect(shown(tensor(new Float32Array(0), [0, 3]))['text/plain']).toBe('Tensor(float [0, 3])')
    // whole numbers, such as ids, are not rounded
    expect(shown(tensor(Int32Array.of(1234567, -7)))['text/plain']).toBe('Tensor(int32 [2])\n1234567  -7')
    expect(shown(tensor(Int32Array.of(1, 2, 3, 4), [2, 1, 2]))['text/plain']).toBe('Tensor(int32 [2, 1, 2])\n1  2\n3  4')
  })

  test('a model is its summary', () => {
    const { 'text/plain': text, 'text/html': html } = shown(net())
    expect(text).toMatch(/Dense.*\n.*BatchNorm.*\n/)
    expect(html).toMatch(/^<pre>.*<\/pre>$/s)
  })

  test('a confusion matrix is a picture by view; names from files are shown, never obeyed', () => {
    const names = ['<b>cat</b>', 'dog\u001b[31m']
    const { 'text/plain': text, 'image/svg+xml': svg } = view(
      [
        [8, 2],
        [1, 9],
      ],
      { names },
    ).formats
    expect(text).toBe(
      'rows: the true class, columns: the predicted one\n               <b>cat</b>  dog\\u001b[31m\n<b>cat</b>              8              2\ndog\\u001b[31m           1              9',
    )
    expect(svg).toMatch(/^<svg/)
    expect(svg).not.toMatch(/<b>|\u001b/)
  })

  test('reports, studies, heads, forecasts and X-rays show their pages in a frame', async () => {
    const rows = Array.from({ length: 60 }, (_, i) => ({ x: i % 10, kind: i % 10 > 4 ? 'high' : 'low' }))
    const { report } = await trainTable(rows, { target: 'kind', epochs: 2 })
    const study = await createStudy({ space: { x: float(0, 1) } })
    await study.optimize(({ x }) => x, { trials: 3 })
    const head = await trainHead(
      [
        [0, 1],
        [0, 2],
        [1, 0],
        [2, 0],
      ],
      ['cat', 'cat', 'dog', 'dog'],
    )
    const weeks = Array.from({ length: 30 }, (_, week) => ({ week, units: 10 + (week % 4) }))
    const xray = new XRay()
    await trained(20, [xray])
    for (const value of [report, study, head, await forecast(weeks, { time: 'week', value: 'units', horizon: 2 }), xray, xray.report]) {
      const { 'text/plain': text, 'text/html': html } = shown(value)
      expect(text.split('\n').length).toBeGreaterThan(3)
      expect(html).toMatch(/^<iframe srcdoc="&#60;!doctype html&#62;[^<"]*" onload="[^<"]*" style="[^<"]*"><\/iframe>$/)
      expect(view(value).formats).toEqual(shown(value))
    }
    expect(Object.keys(report)).toEqual(Object.keys({ ...report }))
    expect(structuredClone(report)).toEqual(report)
  })

  test('view refuses what has no display, and says what it wants', () => {
    const { loss } = evaluateModel(net(), data)
    for (const value of [loss, null, undefined, 'text', [], [[1, 2]], [['a']], {}, () => 1, [[Number.NaN]]])
      expect(() => view(value)).toThrow(/^view: wants a tensor, model, history, report, study, head or confusion matrix, got /)
    expect(() => view([[1]], { names: ['a', 'b'] })).toThrow('view: names wants one for each of 1 classes, got 2')
    expect(() => view([[1]]).toElement()).toThrow('view: toElement wants a page, and there is no document here; use formats')
  })
})

test('a page is made when a notebook reads it, not before', () => {
  class Shown {}
  let pages = 0
  showInNotebooks(
    Shown.prototype,
    () => 'text',
    () => `page ${++pages}`,
  )
  const { formats } = view(new Shown())
  expect([formats['text/plain'], pages]).toEqual(['text', 0])
  expect(JSON.parse(JSON.stringify(formats))['text/html']).toContain('page 1')
})
