//! DoG's sums before its step; the step itself is that of gradient descent.

use crate::lane::Lane;
use crate::optim::{export_sums, Numbers, SlotKind, Sums};

/// Σ (p − start)², Σ g²
struct Travelled;

impl From<&[f32]> for Travelled {
    fn from(_: &[f32]) -> Self {
        Travelled
    }
}

impl Numbers for Travelled {
    const NAMES: &'static [&'static str] = &[];
}

impl Sums<1, 2> for Travelled {
    const SLOT_KINDS: [SlotKind; 1] = [SlotKind::ReadOnly];

    #[inline(always)]
    fn state<L: Lane>(&self, _: L, _: L, s: [L; 1]) -> [L; 1] {
        s
    }

    #[inline(always)]
    fn terms<L: Lane>(&self, p: L, g: L, [start]: [L; 1]) -> [L; 2] {
        let way = p - start;
        [way * way, g * g]
    }
}

export_sums!(dogSums, Travelled, 1);
