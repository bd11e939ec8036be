/** Rows of a table that their source has encoded itself, without an object for each row. */

/** @internal Inputs and targets of some rows, as the encoder of their table makes them. */
export class EncodedRows {
  constructor(
    /** Row-major [count, width]. */
    readonly inputs: Float32Array,
    /** Numbers, or classes. */
    readonly targets: Float32Array | Int32Array,
    readonly count: number,
    readonly width: number,
  ) {}
}

/** @internal The name of a method of sources that can encode their rows. */
export const ENCODED = Symbol('rows, encoded')

/** @internal A source that can encode its rows: what it gives are the same rows, and rows as objects where one of them is unusual. */
export interface Encodable {
  /** @param state of the encoder @param worker true to read in a worker, where there is one */
  [ENCODED](state: unknown, worker: boolean): AsyncIterable<readonly object[] | EncodedRows>
}

/** @internal Methods `dataset` of encoders whose states say all that they do. A method that somebody put in their place has to see the rows. */
export const PLAIN_ENCODERS = new WeakSet<object>()
