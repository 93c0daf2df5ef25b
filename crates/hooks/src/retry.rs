//! How long to wait before a webhook is tried again.

use std::time::Duration;

/// How often a webhook is tried, and how long is waited between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// How often it is tried in all, at least once.
    pub attempts: u32,
    /// The longest wait after the first failure; it doubles with each further one.
    pub first: Duration,
    /// The longest wait of all, also where the receiver asks for more.
    pub longest: Duration,
}

impl Default for Retry {
    /// Five attempts: up to 1, 2, 4 and 8 seconds between; never more than a minute.
    fn default() -> Self {
        Self {
            attempts: 5,
            first: Duration::from_secs(1),
            longest: Duration::from_secs(60),
        }
    }
}

impl Retry {
    /// The wait after the `failed`th failure, counted from 1: between half and the whole of what has
    /// doubled, so that those who failed together do not come back together. A receiver that says how long
    /// is taken at its word.
    pub(crate) fn wait(&self, failed: u32, asked: Option<Duration>, random: f64) -> Duration {
        if let Some(asked) = asked {
            return asked.min(self.longest);
        }
        let doubled = 2_u32.saturating_pow(failed.saturating_sub(1));
        let whole = self.first.saturating_mul(doubled).min(self.longest);
        whole.mul_f64(0.5 + random.clamp(0.0, 1.0) / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let retry = Retry::default();
        let longest = |failed| retry.wait(failed, None, 1.0).as_secs();
        assert_eq!([1, 2, 3, 4, 7, 40].map(longest), [1, 2, 4, 8, 60, 60]);
        let shortest = |failed| retry.wait(failed, None, 0.0).as_millis();
        assert_eq!([1, 2, 40].map(shortest), [500, 1_000, 30_000]);
        let asked = |secs| retry.wait(1, Some(Duration::from_secs(secs)), 1.0);
        assert_eq!(
            [asked(0), asked(7), asked(999)].map(|d| d.as_secs()),
            [0, 7, 60]
        );
    }
}
