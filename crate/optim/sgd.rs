//! Gradient descent.

use crate::lane::Lane;
use crate::optim::{export_update, Rule, SlotKind};

/// p ← p − η·g
pub struct Sgd {
    /// η
    pub learning_rate: f32,
}

impl From<&[f32]> for Sgd {
    fn from(h: &[f32]) -> Self {
        Sgd { learning_rate: h[0] }
    }
}

impl Rule<0> for Sgd {
    const SLOT_KINDS: [SlotKind; 0] = [];
    const FUSES_GRADIENT_SCALING: bool = true;

    #[inline(always)]
    fn update<L: Lane>(&self, p: L, g: L, s: [L; 0]) -> (L, [L; 0]) {
        (p.minus(L::splat(self.learning_rate), g), s)
    }
}

export_update!(sgd, Sgd, 0, 1);
