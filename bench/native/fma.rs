//! The largest number of multiply-adds that one core does: loops on registers, with vectors of 128, 256 and 512 bits, in native code.
//! Prints GFLOP/s, best of many rounds, as `128 51.2`, one line to each width that the processor has. bench/native/native.ts builds it.
use std::arch::x86_64::*;
use std::hint::black_box;
use std::time::Instant;

/// Number of independent chains, enough to hide the latency of one: two ports times four cycles, and some to spare.
const CHAINS: usize = 12;
const STEPS: u32 = 20_000;
const ROUNDS: u32 = 200;

macro_rules! limit {
    ($name:ident, $feature:literal, $splat:ident, $fma:ident) => {
        /// a ← a·x + x in each chain, over and over.
        #[target_feature(enable = $feature)]
        fn $name() {
            let x = $splat(black_box(0.5));
            let mut chains = [$splat(black_box(0.25)); CHAINS];
            for _ in 0..STEPS {
                for a in &mut chains {
                    *a = $fma(*a, x, x);
                }
            }
            black_box(chains);
        }
    };
}

limit!(narrow, "fma", _mm_set1_ps, _mm_fmadd_ps);
limit!(middle, "fma", _mm256_set1_ps, _mm256_fmadd_ps);
limit!(wide, "avx512f", _mm512_set1_ps, _mm512_fmadd_ps);

fn report(bits: usize, run: impl Fn()) {
    let flops = STEPS as f64 * (CHAINS * bits / 32 * 2) as f64;
    let mut best = 0f64;
    for _ in 0..ROUNDS {
        let started = Instant::now();
        run();
        best = best.max(flops / started.elapsed().as_nanos() as f64);
    }
    println!("{bits} {best:.1}");
}

fn main() {
    if is_x86_feature_detected!("fma") {
        // SAFETY: the processor has the feature that each function needs, as tested here
        report(128, || unsafe { narrow() });
        report(256, || unsafe { middle() });
    }
    if is_x86_feature_detected!("avx512f") {
        // SAFETY: likewise
        report(512, || unsafe { wide() });
    }
}
