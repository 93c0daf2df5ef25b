//! A node's clock, and where a track is by ours.
//!
//! A node says at what time of its own clock a track was where. Its clock may be wrong by hours; what it says is turned
//! into our time at once.

use std::time::{Duration, Instant};

/// What is known of a node's clock: how far it is ahead of ours.
#[derive(Debug, Clone)]
pub(crate) struct NodeClock {
    began: Instant,
    /// In milliseconds, of its clock at `began`.
    ahead: Option<i64>,
}

impl NodeClock {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            began: now,
            ahead: None,
        }
    }

    fn ours(&self, now: Instant) -> i64 {
        let since = now.saturating_duration_since(self.began).as_millis();
        i64::try_from(since).unwrap_or(i64::MAX)
    }

    /// A message of that time arrived at `now`. Without having asked for it, `asked` is nothing: then it may have
    /// waited on its way, and says only that the clock is at least so far ahead. Answers when it was by our clock.
    pub(crate) fn heard(&mut self, time: u64, asked: Option<Instant>, now: Instant) -> Instant {
        let time = i64::try_from(time).unwrap_or(i64::MAX);
        let least = time.saturating_sub(self.ours(now));
        let most = asked.map(|asked| time.saturating_sub(self.ours(asked)));
        let known = self.ahead.unwrap_or(least).max(least);
        let ahead = most.map_or(known, |most| known.min(most));
        self.ahead = Some(ahead);
        let ours = time.saturating_sub(ahead);
        let since = Duration::from_millis(u64::try_from(ours).unwrap_or(0));
        self.began.checked_add(since).unwrap_or(now).min(now)
    }
}

/// Where a track is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Place {
    /// In milliseconds.
    position: u64,
    /// When it was there; nothing where it does not move.
    since: Option<Instant>,
    /// How many of its milliseconds pass in one of ours.
    speed: f64,
}

impl Place {
    /// At a position that does not change.
    pub(crate) fn still(position: u64) -> Self {
        Self {
            position,
            since: None,
            speed: 1.0,
        }
    }

    /// At a position at that moment, and on from there.
    pub(crate) fn moving(position: u64, since: Instant, speed: f64) -> Self {
        let speed = if speed.is_finite() && speed > 0.0 {
            speed
        } else {
            1.0
        };
        Self {
            position,
            since: Some(since),
            speed,
        }
    }

    /// Whether it moves.
    pub(crate) fn moves(&self) -> bool {
        self.since.is_some()
    }

    /// Where it was when that was said, in milliseconds.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// Where it is at `now`, in milliseconds; at most at the end, where the length is known.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "days, in milliseconds"
    )]
    pub(crate) fn at(&self, now: Instant, length: Option<u64>) -> u64 {
        let passed = self
            .since
            .map_or(Duration::ZERO, |since| now.saturating_duration_since(since));
        let position = self
            .position
            .saturating_add((passed.as_millis() as f64 * self.speed) as u64);
        length.map_or(position, |length| position.min(length))
    }

    /// Where it is at `now`, and no further.
    pub(crate) fn stopped(&self, now: Instant) -> Self {
        Self::still(self.at(now, None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(began: Instant, ms: u64) -> Instant {
        began + Duration::from_millis(ms)
    }

    #[test]
    fn a_clock_that_is_wrong_by_hours_does_not_move_a_track() {
        let began = Instant::now();
        let mut clock = NodeClock::new(began);
        let wrong = 7_200_000;
        // Asked at 100, answered at 120.
        let when = clock.heard(wrong + 110, Some(at(began, 100)), at(began, 120));
        assert!(when >= at(began, 100) && when <= at(began, 120), "{when:?}");
    }

    #[test]
    fn what_waited_on_its_way_is_as_old_as_it_says() {
        let began = Instant::now();
        let mut clock = NodeClock::new(began);
        clock.heard(1_000_000, None, began);
        // Sent at 1,000 ms, and here only at 9,000.
        let when = clock.heard(1_001_000, None, at(began, 9_000));
        assert_eq!(when, at(began, 1_000));
        let place = Place::moving(500, when, 1.0);
        assert_eq!(place.at(at(began, 9_000), None), 8_500);
    }

    #[test]
    fn a_clock_that_was_set_back_is_found_out_by_asking() {
        let began = Instant::now();
        let mut clock = NodeClock::new(began);
        clock.heard(5_000_000, None, began);
        let when = clock.heard(1_000_050, Some(at(began, 40)), at(began, 60));
        assert!(when >= at(began, 40), "{when:?}");
    }

    #[test]
    fn a_track_moves_as_fast_as_it_plays_and_not_beyond_its_end() {
        let began = Instant::now();
        let place = Place::moving(1_000, began, 1.5);
        assert_eq!(place.at(at(began, 2_000), None), 4_000);
        assert_eq!(place.at(at(began, 2_000), Some(3_000)), 3_000);
        assert_eq!(
            place.stopped(at(began, 2_000)).at(at(began, 9_000), None),
            4_000
        );
    }
}
