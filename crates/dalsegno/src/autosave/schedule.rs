//! When which session is due: decided from times alone.

use std::collections::HashMap;
use std::time::Duration;

/// After a failure it is tried again this soon, then later and later, up to the interval or a minute.
const RETRY: Duration = Duration::from_secs(1);
const LONGEST_RETRY: Duration = Duration::from_secs(60);

/// Sessions that are due within this time of each other are saved together.
const TOGETHER: Duration = Duration::from_millis(50);

/// How often a session is saved.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Every {
    pub(super) interval: Duration,
    /// By how much of itself the interval varies: 0 not at all, 0.1 from nine tenths to eleven tenths.
    pub(super) jitter: f64,
}

/// The sessions and when each is due, in time since some beginning.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    sessions: HashMap<String, Due>,
}

#[derive(Debug)]
struct Due {
    every: Every,
    at: Duration,
    failures: u32,
    /// Something happened since its state was asked for.
    touched: bool,
}

impl Schedule {
    /// From `now` on; `chance` is between 0 and 1, so that sessions that begin at once do not stay together.
    pub(super) fn add(&mut self, session: &str, every: Every, now: Duration, chance: f64) {
        let due = Due {
            every,
            at: now + varied(every, chance),
            failures: 0,
            touched: false,
        };
        self.sessions.insert(session.to_owned(), due);
    }

    pub(super) fn remove(&mut self, session: &str) {
        self.sessions.remove(session);
    }

    /// Something happened that is worth a save: it is due now.
    pub(super) fn touch(&mut self, session: &str, now: Duration) {
        if let Some(due) = self.sessions.get_mut(session) {
            due.at = due.at.min(now);
            due.touched = true;
        }
    }

    /// Its state is about to be asked for: what happens from now on may not be in it.
    pub(super) fn begin(&mut self, session: &str) {
        if let Some(due) = self.sessions.get_mut(session) {
            due.touched = false;
        }
    }

    /// How long until somebody is due; nothing where nobody ever is.
    pub(super) fn pause(&self, now: Duration) -> Option<Duration> {
        let next = self.sessions.values().map(|due| due.at).min();
        next.map(|at| at.saturating_sub(now))
    }

    /// Those who are due, or will be in a moment; nobody while nobody is due yet.
    pub(super) fn due(&self, now: Duration) -> Vec<String> {
        if self.pause(now) != Some(Duration::ZERO) {
            return Vec::new();
        }
        let soon = now + TOGETHER;
        let due = self.sessions.iter().filter(|(_, due)| due.at <= soon);
        let mut names: Vec<String> = due.map(|(name, _)| name.clone()).collect();
        names.sort();
        names
    }

    /// It was saved, or there was nothing to save. However long that took, it is due one interval from now: times
    /// that went by meanwhile are not made up for. Where something happened since it began, it is due at once.
    pub(super) fn done(&mut self, session: &str, now: Duration, chance: f64) {
        if let Some(due) = self.sessions.get_mut(session) {
            due.failures = 0;
            due.at = match due.touched {
                true => now,
                false => now + varied(due.every, chance),
            };
        }
    }

    /// It could not be saved.
    pub(super) fn failed(&mut self, session: &str, now: Duration) {
        if let Some(due) = self.sessions.get_mut(session) {
            let longer = RETRY.saturating_mul(1 << due.failures.min(6));
            due.failures += 1;
            due.at = now + longer.min(LONGEST_RETRY).min(due.every.interval);
        }
    }
}

fn varied(every: Every, chance: f64) -> Duration {
    every
        .interval
        .mul_f64(1.0 + every.jitter * (2.0 * chance - 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(n: f64) -> Duration {
        Duration::from_secs_f64(n)
    }

    fn every(interval: f64, jitter: f64) -> Every {
        Every {
            interval: seconds(interval),
            jitter,
        }
    }

    #[test]
    fn each_is_due_once_in_its_interval() {
        let mut schedule = Schedule::default();
        schedule.add("a", every(10.0, 0.0), seconds(0.0), 0.5);
        schedule.add("b", every(30.0, 0.0), seconds(0.0), 0.5);
        assert!(schedule.due(seconds(9.9)).is_empty());
        assert_eq!(schedule.pause(seconds(4.0)), Some(seconds(6.0)));
        assert_eq!(schedule.due(seconds(10.0)), ["a"]);
        // The disk was slow: what went by meanwhile is one save, not three.
        schedule.done("a", seconds(35.0), 0.5);
        assert_eq!(schedule.due(seconds(35.0)), ["b"]);
        schedule.done("b", seconds(35.0), 0.5);
        assert_eq!(schedule.pause(seconds(35.0)), Some(seconds(10.0)));
        schedule.remove("a");
        assert_eq!(schedule.pause(seconds(35.0)), Some(seconds(30.0)));
        schedule.remove("b");
        assert_eq!(schedule.pause(seconds(35.0)), None);
    }

    #[test]
    fn those_who_are_due_at_nearly_the_same_time_go_together() {
        let mut schedule = Schedule::default();
        schedule.add("a", every(1.0, 0.0), seconds(0.0), 0.5);
        schedule.add("b", every(1.04, 0.0), seconds(0.0), 0.5);
        schedule.add("c", every(1.06, 0.0), seconds(0.0), 0.5);
        assert_eq!(schedule.due(seconds(1.0)), ["a", "b"]);
    }

    #[test]
    fn intervals_vary_by_their_jitter() {
        let mut schedule = Schedule::default();
        for (chance, at) in [(0.0, 9.0), (0.5, 10.0), (1.0, 11.0)] {
            schedule.add("a", every(10.0, 0.1), seconds(0.0), chance);
            assert_eq!(schedule.pause(seconds(0.0)), Some(seconds(at)));
        }
    }

    #[test]
    fn what_failed_is_tried_soon_and_then_later_and_later() {
        let mut schedule = Schedule::default();
        schedule.add("a", every(3_600.0, 0.0), seconds(0.0), 0.5);
        let mut now = seconds(0.0);
        let mut pauses = Vec::new();
        for _ in 0..8 {
            schedule.failed("a", now);
            let pause = schedule.pause(now).unwrap();
            pauses.push(pause.as_secs());
            now += pause;
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60]);
        schedule.done("a", now, 0.5);
        assert_eq!(schedule.pause(now), Some(seconds(3_600.0)));
        // Never later than it would be due anyway.
        schedule.add("b", every(0.2, 0.0), now, 0.5);
        schedule.failed("b", now);
        assert_eq!(schedule.pause(now), Some(seconds(0.2)));
    }

    #[test]
    fn an_event_makes_it_due() {
        let mut schedule = Schedule::default();
        schedule.add("a", every(10.0, 0.0), seconds(0.0), 0.5);
        schedule.touch("a", seconds(2.0));
        schedule.touch("nobody", seconds(2.0));
        assert_eq!(schedule.due(seconds(2.0)), ["a"]);
    }

    #[test]
    fn an_event_while_it_is_saved_makes_it_due_again() {
        let mut schedule = Schedule::default();
        schedule.add("a", every(10.0, 0.0), seconds(0.0), 0.5);
        schedule.touch("a", seconds(1.0));
        schedule.begin("a");
        schedule.touch("a", seconds(2.0));
        schedule.done("a", seconds(3.0), 0.5);
        assert_eq!(schedule.due(seconds(3.0)), ["a"]);
        schedule.begin("a");
        schedule.done("a", seconds(4.0), 0.5);
        assert_eq!(schedule.pause(seconds(4.0)), Some(seconds(10.0)));
    }
}
