/** Values that the net is given, and values with which it goes on alone. */
export const GIVEN = 32
export const ALONE = 64
