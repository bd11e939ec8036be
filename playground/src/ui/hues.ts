/** The colors of optimizers: one for each everywhere, on the page, in the animation and in the figures of the guides (bench/chart.ts). */

/** Colors that people with any kind of color vision can distinguish (Okabe & Ito 2008), made readable on a light ground. */
export const LIGHT = ['#0072b2', '#d55e00', '#008f68', '#b5487f', '#8a6d00', '#5b4fc4', '#3a8fc7', '#5c5c5c'] as const

/** The index of the color of an optimizer. Optimizers without an entry share the colors in turn. */
export const HUES: Readonly<Record<string, number>> = {
  ...{ SGD: 0, Momentum: 1, RMSProp: 2, Adam: 3, Nesterov: 4, Lion: 5 },
  ...{ UncorrectedAdam: 4, AdamW: 5 },
  ...{ newton: 5, 'newton-cg': 6, lbfgs: 4, cg: 7, 'trust-ncg': 7, 'gradient-descent': 6 },
}
