//! Figures that wander a little over time, as those of a cluster that is used do.
//!
//! A pure function of a seed, a name and a moment: nothing runs in the background, and the same seed tells the
//! same story again. Knows nothing of nodes and guests.

/// Seconds between the points that the slow part of a figure moves through.
const SLOW: f64 = 45.0;
/// As [`SLOW`], of the quick part.
const QUICK: f64 = 6.0;

/// The walk of one cluster.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wander {
    seed: u64,
}

impl Wander {
    /// The walk that belongs to a seed.
    pub(crate) const fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// Where the figure of this name is at a moment (in seconds): between -1 and 1, without jumps.
    pub(crate) fn at(self, name: &str, seconds: f64) -> f64 {
        let name = name.bytes().fold(self.seed, |hash, byte| {
            mix(hash ^ u64::from(byte)).wrapping_add(1)
        });
        let slow = noise(name, seconds / SLOW);
        let quick = noise(mix(name), seconds / QUICK);
        (0.7 * slow + 0.3 * quick).clamp(-1.0, 1.0)
    }

    /// `middle`, more or less: at most `reach` (a part of it) away.
    pub(crate) fn around(self, name: &str, seconds: f64, middle: f64, reach: f64) -> f64 {
        middle * (1.0 + reach * self.at(name, seconds))
    }
}

/// Smoothly from one drawn point to the next, one a unit of `place`.
fn noise(name: u64, place: f64) -> f64 {
    let before = place.floor();
    let part = place - before;
    let eased = part * part * (3.0 - 2.0 * part);
    let (from, to) = (drawn(name, before), drawn(name, before + 1.0));
    from + (to - from) * eased
}

/// A number between -1 and 1 that belongs to a point.
#[expect(
    clippy::cast_precision_loss,
    reason = "53 random bits are what a float holds"
)]
fn drawn(name: u64, point: f64) -> f64 {
    let bits = mix(name ^ point.to_bits()) >> 11;
    bits as f64 / (1u64 << 52) as f64 - 1.0
}

/// The finaliser of `SplitMix64` (Steele, Lea, Flood 2014): every bit of the answer depends on every bit asked.
pub(crate) const fn mix(bits: u64) -> u64 {
    let bits = bits.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds() -> impl Iterator<Item = f64> {
        (0..20_000u32).map(|tenth| 1_790_000_000.0 + f64::from(tenth) / 10.0)
    }

    #[test]
    fn stays_in_bounds_moves_and_never_jumps() {
        let wander = Wander::new(7);
        let figures: Vec<f64> = seconds().map(|at| wander.at("cpu pve1", at)).collect();
        assert!(figures.iter().all(|figure| figure.abs() <= 1.0));
        let lowest = figures.iter().copied().fold(1.0, f64::min);
        let highest = figures.iter().copied().fold(-1.0, f64::max);
        assert!(highest - lowest > 0.8, "{lowest} to {highest}");
        let jump = figures
            .windows(2)
            .map(|pair| (pair[1] - pair[0]).abs())
            .fold(0.0, f64::max);
        assert!(jump < 0.05, "{jump}");
    }

    #[test]
    fn a_seed_tells_the_same_story_again_and_another_tells_another() {
        let story = |seed, name| -> Vec<f64> {
            let wander = Wander::new(seed);
            seconds().map(|at| wander.at(name, at)).collect()
        };
        assert_eq!(story(1, "cpu"), story(1, "cpu"));
        assert_ne!(story(1, "cpu"), story(2, "cpu"));
        assert_ne!(story(1, "cpu"), story(1, "memory"));
    }

    #[test]
    fn around_a_middle() {
        let wander = Wander::new(3);
        for at in seconds() {
            let figure = wander.around("memory", at, 200.0, 0.1);
            assert!((180.0..=220.0).contains(&figure), "{figure}");
        }
    }
}
