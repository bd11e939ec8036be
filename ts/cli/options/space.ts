/** The space of `gradus tune`, from a file of JSON. */
import { readFileSync } from 'node:fs'
import { categorical, float, int, type Space, TABLE_SPACE } from '../../tune/index.js'

/** A space from a file: `{ "learningRate": { "float": [1e-4, 0.1], "log": true }, "activation": ["relu", "tanh"], "layers": 2 }`. */
export function spaceFrom(file: string): Space {
  let json: unknown
  try {
    json = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new Error(`cannot read the space in ${file}: ${(error as Error).message}`)
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw new Error(`${file}: wants an object of parameters`)
  const known = Object.keys(TABLE_SPACE)
  return Object.fromEntries(
    Object.entries(json).map(([name, value]) => {
      if (!known.includes(name)) throw new Error(`${file}: there is no parameter '${name}'; there are ${known.join(', ')}`)
      try {
        return [name, rangeFrom(value)]
      } catch (error) {
        throw new Error(`${file}: ${name}: ${(error as Error).message}`)
      }
    }),
  )
}

function rangeFrom(value: unknown): Space[string] {
  if (Array.isArray(value)) return categorical(value)
  if (typeof value === 'number' || typeof value === 'string') return categorical([value])
  const { float: real, int: whole, ...options } = (value ?? {}) as { float?: [number, number]; int?: [number, number]; log?: boolean }
  if (Array.isArray(real)) return float(real[0], real[1], options)
  if (Array.isArray(whole)) return int(whole[0], whole[1], options)
  throw new Error('wants {"float": [low, high]}, {"int": [low, high]}, an array of choices, or one value')
}
