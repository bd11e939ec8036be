/** The functions of two numbers that one can descend, as formulas: the worker reads them the same way as one that a person types. */

export interface Surface {
  id: string
  label: string
  /** In x and y; of the ravine also k, its condition number. */
  formula: string
  /** The visible range: [from, to] of x and of y. */
  range: readonly [readonly [number, number], readonly [number, number]]
  start: readonly [number, number]
  /** Factor for the learning rate of gradient descent and its relatives on this function: smaller for steep functions. */
  gentle?: number
  /** Its lowest value; null if it has none, or if it is unknown. */
  lowest: number | null
  says: string
}

const square = (a: number): Surface['range'] => [
  [-a, a],
  [-a, a],
]

export const SURFACES: readonly Surface[] = [
  {
    ...{
      id: 'ravine',
      label: 'Ravine',
      formula: '(x^2 + k*y^2) / 2',
      range: [
        [-11, 11],
        [-4, 4],
      ],
      start: [-9, 2],
      lowest: 0,
    },
    says: 'k times as steep across as along: its condition number. Descent creeps along the floor; with a rate above 1/k it zigzags between the walls, above 2/k it flies out.',
  },
  {
    ...{
      id: 'rosenbrock',
      gentle: 0.03,
      label: 'Rosenbrock',
      formula: '(1 - x)^2 + 100*(y - x^2)^2',
      range: [
        [-2, 2],
        [-1, 3],
      ],
      start: [-1.2, 1],
      lowest: 0,
    },
    says: 'A bent valley: finding it is easy, following it is not. The minimum is at (1, 1).',
  },
  {
    ...{
      id: 'beale',
      gentle: 0.15,
      label: 'Beale',
      formula: '(1.5 - x + x*y)^2 + (2.25 - x + x*y^2)^2 + (2.625 - x + x*y^3)^2',
      range: square(4.5),
    },
    ...{ start: [1, 1.5], lowest: 0, says: 'Flat valleys between steep corners; the minimum is at (3, ½).' },
  },
  {
    ...{
      id: 'himmelblau',
      gentle: 0.3,
      label: 'Himmelblau',
      formula: '(x^2 + y - 11)^2 + (x + y^2 - 7)^2',
      range: square(5),
      start: [0, -0.5],
      lowest: 0,
    },
    says: 'Four equal minima: which one is found depends on the start and on the method.',
  },
  {
    ...{ id: 'saddle', gentle: 1, label: 'Saddle', formula: 'x^2 - y^2 + y^4 / 4', range: square(2.5), start: [2, 0.001], lowest: -1 },
    says: 'A saddle at (0, 0) between two minima: the gradient vanishes there though lower ground is near.',
  },
  {
    ...{
      id: 'monkey-saddle',
      gentle: 0.3,
      label: 'Monkey saddle',
      formula: 'x^3 - 3*x*y^2',
      range: square(2),
      start: [1.5, 0.05],
      lowest: null,
    },
    says: 'Even the Hessian vanishes at (0, 0): two ways for the legs, one for the tail.',
  },
  {
    ...{
      id: 'plateau',
      gentle: 5,
      label: 'Plateau',
      formula: '1 - exp(-(x^2 + y^2) / 2)',
      range: square(4.5),
      start: [-3.5, 1],
      lowest: 0,
    },
    says: 'Far from the minimum the gradient is nearly nothing: plain descent hardly moves.',
  },
  {
    ...{
      id: 'rastrigin',
      gentle: 0.1,
      label: 'Rastrigin',
      formula: '20 + x^2 + y^2 - 10*cos(2*pi*x) - 10*cos(2*pi*y)',
      range: square(4),
      start: [-3.3, 2.4],
    },
    ...{ lowest: 0, says: 'A bowl full of dents: local minima everywhere.' },
  },
  {
    ...{
      id: 'styblinski',
      gentle: 0.5,
      label: 'Styblinski–Tang',
      formula: '(x^4 - 16*x^2 + 5*x + y^4 - 16*y^2 + 5*y) / 2',
      range: square(4.5),
    },
    ...{ start: [0.3, 0.2], lowest: -78.33233140754282, says: 'Four minima, one of them lowest.' },
  },
]

export function surfaceOf({ surface, formula }: { surface: string; formula: string }): Surface {
  const known = SURFACES.find(({ id }) => id === surface)
  return (
    known ?? { id: 'own', label: 'Your own', formula, range: square(4), start: [-3, 2], lowest: null, says: 'A function that you typed.' }
  )
}
