//! Rprop (iRprop⁻): uses the signs of gradients; each parameter has its own step length.

use crate::lane::{Broadcast, Number};
use crate::optim::{export_update, numbers, Rule, SlotKind};

numbers! {
    /// step ← step·η⁺ where the sign stayed, ·η⁻ where it changed (then g ← 0);  p ← p − sign(g)·step
    struct Rprop { eta_minus, eta_plus, minimum, maximum }
}

impl<N: Number> Rule<2, N> for Rprop<N> {
    const SLOT_KINDS: [SlotKind; 2] = [SlotKind::NonDecaying, SlotKind::NonDecaying];

    #[inline(always)]
    fn update<L: Broadcast<N>>(&self, p: L, g: L, [previous, step]: [L; 2]) -> (L, [L; 2]) {
        let k = L::broadcast;
        let zero = L::splat(0.0);
        let sign = g.sign();
        // below 0 where signs differ, 0 where either is 0; exact. Without + 0, binaryen swaps the factors of one vector of a pair,
        // and V8 does not widen it
        let same = sign * (previous + zero);
        let turned = same.lt(zero);
        let factor = L::select(same.gt(zero), k(self.eta_plus), L::select(turned, k(self.eta_minus), L::splat(1.0)));
        let step = (step * factor).pmax(k(self.minimum)).pmin(k(self.maximum));
        (p - sign.zero_where(turned) * step, [g.zero_where(turned), step])
    }
}

export_update!(rprop, fleetRprop, Rprop, 2);
