//! Gradient descent.

use crate::lane::{Broadcast, Number};
use crate::optim::{export_update, numbers, Rule, SlotKind};

numbers! {
    /// p ← p − η·g
    pub struct Sgd {
        /// η
        learning_rate,
    }
}

impl<N: Number> Rule<0, N> for Sgd<N> {
    const SLOT_KINDS: [SlotKind; 0] = [];
    const FUSES_GRADIENT_SCALING: bool = true;

    #[inline(always)]
    fn update<L: Broadcast<N>>(&self, p: L, g: L, s: [L; 0]) -> (L, [L; 0]) {
        (p.minus_product(L::broadcast(self.learning_rate), g), s)
    }
}

export_update!(sgd, fleetSgd, Sgd, 0);
