//! Functions of single numbers from the standard library, which is missing in the WebAssembly build: the instruction of a whole vector, and one lane
//! of its result. The compiler reduces it to the instruction of one number.

#[cfg(target_feature = "simd128")]
use core::arch::wasm32::*;

macro_rules! of_one {
    ($($(#[$doc:meta])* $name:ident($x:ty): $vector:ident, $splat:ident, $extract:ident;)*) => { $(
        $(#[$doc])*
        #[inline(always)]
        pub fn $name(x: $x) -> $x {
            #[cfg(target_feature = "simd128")]
            return $extract::<0>($vector($splat(x)));
            #[cfg(not(target_feature = "simd128"))]
            x.$name()
        }
    )* };
}

of_one! {
    /// The square root.
    sqrt(f64): f64x2_sqrt, f64x2_splat, f64x2_extract_lane;
    /// The nearest whole number, the even one of two.
    round_ties_even(f64): f64x2_nearest, f64x2_splat, f64x2_extract_lane;
    /// The largest whole number that is not above x.
    floor(f64): f64x2_floor, f64x2_splat, f64x2_extract_lane;
    /// The smallest whole number that is not below x.
    ceil(f64): f64x2_ceil, f64x2_splat, f64x2_extract_lane;
}
