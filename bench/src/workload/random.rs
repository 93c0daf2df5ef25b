//! Seeded chance: the only source of randomness of the generators.

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

/// A stream of random numbers named by a seed and a purpose.
///
/// The algorithm is named (xoshiro256++) instead of "the standard one", so that a seed gives the
/// same workload after an update of the library.
#[derive(Debug, Clone)]
pub struct Dice(Xoshiro256PlusPlus);

const BASE64_URL: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const BASE62: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const HEX: &[u8] = b"0123456789abcdef";

impl Dice {
    /// Two purposes of one seed are independent streams: a change in how one generator draws
    /// does not change the others.
    #[must_use]
    pub fn new(seed: u64, purpose: &str) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&seed.to_le_bytes());
        hasher.update(purpose.as_bytes());
        Self(Xoshiro256PlusPlus::from_seed(*hasher.finalize().as_bytes()))
    }

    /// A whole number from `low` to `high`, both included.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        self.0.random_range(low..=high)
    }

    /// An index below `len`; 0 for an empty list.
    pub fn index(&mut self, len: usize) -> usize {
        self.0.random_range(0..len.max(1))
    }

    /// An index below `len` where the first ones are likelier, as words are in a language
    /// (Zipf's law with Mandelbrot's flattened top).
    pub fn skewed_index(&mut self, len: usize) -> usize {
        const FLATTEN: f64 = 12.0;
        let len = len.max(1);
        let u: f64 = self.0.random_range(0.0..1.0);
        let reach = (len as f64 + FLATTEN) / FLATTEN;
        let index = FLATTEN.mul_add(reach.powf(u), -FLATTEN);
        (index as usize).min(len - 1)
    }

    /// True with probability `p`.
    pub fn chance(&mut self, p: f64) -> bool {
        self.0.random_bool(p.clamp(0.0, 1.0))
    }

    /// One of `choices`.
    pub fn pick<'a, T: ?Sized>(&mut self, choices: &[&'a T]) -> &'a T {
        choices[self.index(choices.len())]
    }

    /// Puts `items` in a random order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.index(last + 1);
            items.swap(last, other);
        }
    }

    /// `len` lower-case hexadecimal digits.
    pub fn hex(&mut self, len: usize) -> String {
        self.characters(HEX, len)
    }

    /// `len` letters and digits.
    pub fn base62(&mut self, len: usize) -> String {
        self.characters(BASE62, len)
    }

    /// `len` characters of the URL-safe base64 alphabet, as video ids have them.
    pub fn base64_url(&mut self, len: usize) -> String {
        self.characters(BASE64_URL, len)
    }

    /// A Discord id: a number too large for JavaScript, hence kept as text.
    pub fn snowflake(&mut self) -> String {
        self.between(180_000_000_000_000_000, 1_290_000_000_000_000_000)
            .to_string()
    }

    fn characters(&mut self, alphabet: &[u8], len: usize) -> String {
        (0..len)
            .map(|_| char::from(alphabet[self.index(alphabet.len())]))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn purposes_are_independent_and_repeatable() {
        let draw = |seed, purpose| Dice::new(seed, purpose).between(0, u64::MAX - 1);
        assert_eq!(draw(1, "a"), draw(1, "a"));
        assert_ne!(draw(1, "a"), draw(1, "b"));
        assert_ne!(draw(1, "a"), draw(2, "a"));
    }

    #[test]
    fn skewed_favours_the_front_and_reaches_the_end() {
        let mut dice = Dice::new(3, "skew");
        let mut seen = [0_u32; 200];
        for _ in 0..50_000 {
            seen[dice.skewed_index(200)] += 1;
        }
        assert!(seen[0] > 8 * seen[199]);
        assert!(seen.iter().all(|&n| n > 0));
    }
}
