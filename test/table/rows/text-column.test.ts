/** Columns of sentences: their most frequent words and pairs count, in encoders, nets, files and functions. */
import { beforeAll, describe, expect, test } from 'vitest'
import { encoderFromState, encoderFromStream, fromTable } from '../../../ts/data/index.js'
import { Generator } from '../../../ts/index.js'
import {
  type ClassPrediction,
  explainTable,
  loadTableModel,
  reportText,
  type TrainedTable,
  tableToFunction,
  trainTable,
} from '../../../ts/table/index.js'

const [GOOD, BAD] = [['good', 'tasty', 'fresh'], ['bad', 'stale', 'awful']] // biome-ignore format: one line
const FILL = 'the tea was in a box on my table and I had it with some milk every day for a week or so'.split(' ')

/** Reviews: a word says the class, "not" before it turns it around, and others say nothing. */
function reviews(count: number, seed = 1) {
  const random = new Generator(seed)
  const pick = (words: readonly string[]) => words[Math.floor(random.next() * words.length)]
  return Array.from({ length: count }, (_, i) => {
    const [isGood, turned] = [random.next() < 0.5, random.next() < 0.3]
    const words = Array.from({ length: 4 + Math.floor(random.next() * 12) }, () => pick(FILL))
    words.splice(Math.floor(random.next() * words.length), 0, ...(turned ? ['not'] : []), pick(isGood !== turned ? GOOD : BAD))
    return { review: `${words.join(' ')} ${i}.`, weight: random.next(), stars: isGood ? 'many' : 'few' }
  })
}

let trained: TrainedTable<ClassPrediction>
beforeAll(async () => {
  trained = await trainTable(reviews(600), { target: 'stars', hidden: [16], epochs: 40 })
})

/** Chinese reviews, which have no spaces: 好吃 is good, 难吃 bad, of characters that both have. */
function chineseReviews(count: number) {
  const random = new Generator(3)
  const filler = [...'我今天在这家店里买了一些茶和面包觉得它']
  const some = () =>
    Array.from({ length: 3 + Math.floor(random.next() * 5) }, () => filler[Math.floor(random.next() * filler.length)]).join('')
  return Array.from({ length: count }, () => {
    const isGood = random.next() < 0.5
    return { review: `${some()}${isGood ? '好吃' : '难吃'}${some()}。`, stars: isGood ? 'many' : 'few' }
  })
}

describe('a column of sentences', () => {
  test('in Chinese or Japanese is characters and pairs of them; words beside them stay whole', async () => {
    const rows = [
      { t: 'AI很好', y: 0 },
      { t: '很好', y: 1 },
      { t: 'ai', y: 1 },
      { t: 'スシ', y: 0 },
    ]
    expect(fromTable(rows, { target: 'y', columns: { t: 'text' } }).featureNames).toEqual(['t=ai', 't=好', 't=很', 't=很 好'])
    const { model, report } = await trainTable(chineseReviews(400), { target: 'stars', hidden: [16], epochs: 40 })
    expect(report.columns.find(({ name }) => name === 'review')?.as).toBe('text')
    expect(report.metrics[0].value).toBeGreaterThan(0.95)
    const source = tableToFunction(model)
    const { predict } = (await import(`data:text/javascript,${encodeURIComponent(source)}`)) as {
      predict(rows: unknown): { class: string }[]
    }
    const later = chineseReviews(8)
    const wanted = model.predict(later)
    predict(later).forEach((answer, i) => expect(answer.class).toBe(wanted[i].class))
  })

  test('has one word for an accent that is written as one character or as two', () => {
    const texts = ['un café noir', 'un cafe\u0301 noir', 'Ca va', 'CAFÉ']
    const table = fromTable(
      texts.map((t, y) => ({ t, y })),
      { target: 'y', columns: { t: 'text' } },
    )
    expect(table.featureNames).toContain('t=café')
    expect(table.featureNames).toEqual(['t=café', 't=café noir', 't=noir', 't=un', 't=un café'])
  })

  test('is words and pairs by TF-IDF, as in scikit-learn', () => {
    const rows = [
      { t: 'a b b c', y: 0 },
      { t: 'A b, d', y: 1 },
      { t: 'c', y: 1 },
      { t: '?!', y: 0 },
    ]
    const table = fromTable(rows, { target: 'y', columns: { t: 'text' } })
    expect(table.featureNames).toEqual(['t=a', 't=a b', 't=b', 't=c'])
    // each is in two of four texts: their weights are equal, and b is there twice in the first
    const twice = 1 + Math.log(2)
    const length = Math.hypot(1, 1, twice, 1) / 2
    const wanted = [
      1 / length,
      1 / length,
      twice / length,
      1 / length,
      ...[1, 1, 1, 0].map((x) => (2 * x) / Math.sqrt(3)),
      0,
      0,
      0,
      2,
      0,
      0,
      0,
      0,
    ]
    table.inputs.forEach((value, i) => expect(value).toBeCloseTo(wanted[i], 6))
    const encoder = encoderFromState(JSON.parse(JSON.stringify(table.state())))
    expect(encoder.encode(rows)).toEqual(table.inputs)
    expect([...encoder.encode([{ t: 'nothing known' }, { t: 5 }])]).toEqual(new Array(8).fill(0))
    for (const t of [{}, [1], null]) expect(() => encoder.encode([{ t }])).toThrow(/column 't' of row 0|no value in column 't'/)
  })

  test('is found by its values, also in a stream; names, codes and few rows are not', async () => {
    const rows = reviews(200)
    const { report } = fromTable(rows, { target: 'stars' })
    const [review] = report.columns
    expect(review).toMatchObject({
      as: 'text',
      decidedBy: 'values',
      why: 'it has sentences, whose most frequent words and pairs of words count',
    })
    expect(review.features).toBeGreaterThan(100)
    expect((await encoderFromStream([rows], { target: 'stars' })).features).toBe(review.features + 1)
    const names = rows.map(({ stars, weight }, i) => ({ name: `Mr. No ${i} Body`, weight, stars }))
    expect(fromTable(names, { target: 'stars' }).report.columns[0].as).toBe('left out')
    expect(fromTable(rows, { target: 'stars', columns: { review: { as: 'text', buckets: 7 } } }).features).toBe(8)
    expect(() =>
      fromTable(
        rows.slice(0, 3).map((row, i) => ({ ...row, review: `w${i}` })),
        { target: 'stars', columns: { review: 'text' } },
      ),
    ).toThrow(/^fromTable: column 'review' has no word that several rows have/)
    const spaceless = ['อาหารอร่อยมาก', 'รสชาติธรรมดา', 'บริการแย่'].flatMap((t, y) =>
      Array.from({ length: 9 }, (_, i) => ({ t: `${t}${i}`, y })),
    )
    expect(() => fromTable(spaceless, { target: 'y', columns: { t: 'text' } })).toThrow(
      /put spaces between those of a language without them, but for Chinese and Japanese$/,
    )
    expect(() => fromTable(rows, { target: 'stars', columns: { stars: 'text' } })).toThrow(/columns of 'stars': as wants/)
  })

  test('damaged words in a file are refused', () => {
    const state = fromTable(reviews(150), { target: 'stars' }).state()
    for (const change of [
      { words: null },
      { words: [] },
      { words: [1] },
      { weights: [1] },
      { weights: null },
      { weights: state.columns[0].weights?.map(() => Number.NaN) },
      // squares of such weights are 0
      { weights: state.columns[0].weights?.map(() => 1e-200) },
      { words: state.columns[0].words?.map(() => 'tea') },
    ]) {
      const columns = [{ ...state.columns[0], ...change }, ...state.columns.slice(1)]
      expect(() => encoderFromState({ ...state, columns } as never)).toThrow(
        /^encoderFromState: a column has a name.*words with their weights/,
      )
    }
  })

  test('teaches a model what a net needs, which leaves as a file and as a function', async () => {
    const { model, report } = trained
    expect(report.columns[0]).toMatchObject({ name: 'review', as: 'text', decidedBy: 'values' })
    const rows = reviews(200, 9)
    const right = (answers: readonly { class: string }[]) => answers.filter((answer, i) => answer.class === rows[i].stars).length
    const answers = model.predict(rows)
    expect(right(answers)).toBeGreaterThan(180)
    expect((await loadTableModel(model.bytes())).predict(rows)).toEqual(answers)
    const source = tableToFunction(model)
    const { predict } = (await import(`data:text/javascript,${encodeURIComponent(source)}`)) as { predict(rows: unknown): typeof answers }
    predict(rows).forEach((answer, i) => expect(answer.probabilities.many).toBeCloseTo(answers[i].probabilities.many, 5))
  })

  test('is explained by its words, not by its sentences', async () => {
    const rows = reviews(200)
    const { model } = trained
    const explanation = explainTable(model, rows, { about: 'many' })
    const [review, weight] = explanation.effects
    expect(review).toMatchObject({ column: 'review', kind: 'word' })
    expect(review.values).toHaveLength(10)
    // the highest first, by hand: rows whose text is the word alone
    const mean = (word: unknown) =>
      model.predict(rows.map((row) => ({ ...row, review: word }))).reduce((sum, { probabilities }) => sum + probabilities.many, 0) /
      rows.length
    review.values.forEach((word, i) => expect(review.mean[i]).toBeCloseTo(mean(word), 5))
    expect(review.mean[0]).toBe(Math.max(...review.mean))
    expect(review.mean[9]).toBe(Math.min(...review.mean))
    for (const word of GOOD) expect(review.values.slice(0, 5)).toContain(word)
    for (const word of BAD) expect(review.values.slice(-5)).toContain(word)
    expect(review.strength).toBeGreaterThan(weight.strength)
    expect(reportText(explanation, { width: 100 })).toContain('review, a text of this word alone')
  })
})
