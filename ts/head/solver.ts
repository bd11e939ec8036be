/** Solves a head again when examples come or go. */
import { rangeError } from '../common/errors.js'
import type { Answers } from './answers.js'
import { EngineRows } from './engine-rows.js'
import type { Examples } from './examples.js'
import { lift } from './lift.js'
import { type Line, Lines, lineOfAll } from './lines.js'
import type { Rows } from './vectors.js'

/** What is solved. */
interface Problem {
  examples: Examples
  classes: number
  answers: Answers
  /** Weights to start from. */
  start: Line
  l2: number
  gradientTolerance: number
}

/** @internal The examples of a head in the memory of the engine, from the first change on. */
export class Solver {
  #rows: EngineRows | null = null
  #lines: Lines | null = null

  /** @param hidden the hidden layer in front of the lines; it stays as it is */
  constructor(private readonly hidden: Line | null) {}

  /** Appends examples, or leaves them as they were. @param take solves, and takes the result */
  append(examples: Examples, rows: Rows, answerOf: Int32Array, take: () => void): void {
    const before = examples.classOf.length
    this.#safely(
      () => {
        const engine = this.#rowsOf(examples)
        examples.append(rows, answerOf)
        engine.append(lift(rows, this.hidden).vectors)
        take()
      },
      () => examples.truncate(before),
    )
  }

  /** Removes rows. @param take solves, and takes the result */
  filter(examples: Examples, keeps: (row: number) => boolean, take: () => void): void {
    this.#safely(() => {
      this.#rowsOf(examples).filter(keeps)
      take()
    })
  }

  solve({ examples, classes, answers, start, l2, gradientTolerance }: Problem): Line {
    const rows = this.#rowsOf(examples)
    if (this.#lines?.classes !== classes) {
      this.#lines?.free()
      this.#lines = new Lines(rows, classes)
    }
    this.#lines.answers = answers
    rows.setAnswers(examples.classOf, answers, classes)
    const line = lineOfAll(this.#lines, examples.classOf.length, start, l2, gradientTolerance)
    if (line.weights.every(Number.isFinite) && line.bias.every(Number.isFinite)) return line
    throw rangeError('add: the vectors are too far from those before for single precision; leave them out, or train again')
  }

  #rowsOf(examples: Examples): EngineRows {
    if (this.#rows === null) {
      this.#rows = new EngineRows(lift(examples.rows, this.hidden))
      this.#rows.memory.weigh()
    }
    return this.#rows
  }

  /** Changes the examples, or leaves all as it was: if the engine fails, its rows are made again later. */
  #safely(change: () => void, undo: () => void = () => {}): void {
    try {
      change()
    } catch (error) {
      this.#rows = null
      this.#lines = null
      undo()
      throw error
    }
  }
}
