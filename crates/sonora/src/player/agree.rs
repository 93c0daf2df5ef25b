//! Agreeing with a node that went on alone while nobody listened: nothing audible changes.

use std::time::Instant;

use dalsegno::Result;

use super::{Next, Player, State};
use crate::filters::Filters;
use crate::lavalink::NodePlayer;
use crate::queue::{Reconciled, Why};

/// What was found on the node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Agreed {
    /// It plays what the state says.
    Same,
    /// It plays a track further on in the queue, or one that the queue did not know; the queue follows.
    Ahead,
    /// The track ended meanwhile: the next one was begun.
    Ended,
    /// It does not play what should play. Nothing was changed.
    Silent,
}

impl Player {
    /// Looks what the node plays, and takes that for what is. A track that should have ended by now is followed by the
    /// next one.
    ///
    /// # Errors
    /// Of the node.
    pub(crate) async fn agree(&self) -> Result<Agreed> {
        let _turn = self.turn().await;
        if self.is_still() || self.is_found() {
            return Ok(Agreed::Same);
        }
        let found = self.seated()?.player(self.guild()).await?;
        let now = Instant::now();
        let Some((found, since)) = found else {
            return Ok(if self.locked().queue.current.is_none() {
                Agreed::Same
            } else {
                Agreed::Silent
            });
        };
        let agreed = self.locked().follow(&found, since);
        if agreed != Agreed::Silent {
            return Ok(agreed);
        }
        let tolerance = self.world()?.hold.tolerance;
        let next = {
            let mut state = self.locked();
            // It says nothing of a track that ended: what it said was lost with the bot.
            if !state.is_over(now + tolerance) {
                return Ok(Agreed::Silent);
            }
            state.go_on(Why::Finished, now)
        };
        self.carry_out(next).await;
        Ok(if next == Next::Nothing {
            Agreed::Same
        } else {
            Agreed::Ended
        })
    }
}

impl State {
    /// Takes what a node plays for what is.
    fn follow(&mut self, found: &NodePlayer, since: Instant) -> Agreed {
        let agreed = match &found.track {
            Some(playing) => match self.queue.reconcile(playing) {
                Reconciled::Same if self.is_next(found.state.position, since) => {
                    self.queue.advance(Why::Finished);
                    Agreed::Ahead
                }
                Reconciled::Same => Agreed::Same,
                _ => Agreed::Ahead,
            },
            None if self.queue.current.is_none() => Agreed::Same,
            None => return Agreed::Silent,
        };
        self.starting = false;
        self.volume = found.volume;
        self.paused = found.paused;
        let filters = Filters::read(&found.filters);
        if !self.filters.same_as(&filters) {
            self.filters = filters;
        }
        self.channel = found.channel.or(self.channel);
        if agreed == Agreed::Ahead {
            self.end_time = None;
        }
        self.connected = found.state.connected;
        self.reach(found.state.position, since);
        agreed
    }

    /// Whether the current track would have come to its end by now.
    fn is_over(&self, now: Instant) -> bool {
        let end = self.end().filter(|_| !self.starting);
        end.is_some_and(|end| self.place.at(now, None) >= end)
    }

    /// Where a queue has a track twice in a row, whether it is the second one that is at this position: the first one would
    /// be further on, or over.
    fn is_next(&self, position: u64, since: Instant) -> bool {
        let Some(end) = self
            .end()
            .filter(|_| self.queue.repeats() && !self.starting)
        else {
            return false;
        };
        match self.place.at(since, None).checked_sub(end) {
            Some(next) => position.abs_diff(next) < position.abs_diff(end),
            None => position < self.place.position(),
        }
    }

    /// Where the current track ends, if it does.
    pub(crate) fn end(&self) -> Option<u64> {
        let current = self.queue.current.as_ref()?;
        let end = self
            .end_time
            .or_else(|| u64::try_from(current.info.length).ok());
        end.filter(|end| *end > 0 && !current.info.is_stream)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::time::Duration;

    use super::*;
    use crate::track::{Track, TrackInfo};

    fn track(name: &str) -> Track {
        let info = TrackInfo {
            identifier: name.to_owned(),
            length: 10_000,
            is_seekable: true,
            ..TrackInfo::default()
        };
        Track::new(name, info)
    }

    /// Track `a`, which was at 4 s, twice in a row.
    fn twice(at: Instant) -> State {
        let mut state = State::default();
        for name in ["a", "a", "b"] {
            state.queue.add(track(name), None).unwrap();
        }
        state.queue.advance(Why::Skipped);
        state.connected = true;
        state.reach(4_000, at);
        state
    }

    fn found(position: u64) -> NodePlayer {
        let mut found = NodePlayer {
            track: Some(track("a")),
            ..NodePlayer::default()
        };
        found.state.position = position;
        found
    }

    #[test]
    fn of_a_track_that_comes_twice_its_position_tells_which_one_plays() {
        let began = Instant::now();
        for (passed, position, upcoming) in [
            (2, 6_000, 2),
            // Skipped.
            (2, 500, 1),
            // The first one is over, or hung a little.
            (8, 2_000, 1),
            (8, 9_700, 2),
        ] {
            let mut state = twice(began);
            state.follow(&found(position), began + Duration::from_secs(passed));
            assert_eq!(
                state.queue.upcoming.len(),
                upcoming,
                "{passed} s, {position} ms"
            );
        }
    }

    #[test]
    fn a_track_that_has_not_begun_is_not_over() {
        let began = Instant::now();
        let mut state = twice(began);
        assert!(state.is_over(began + Duration::from_secs(7)));
        state.starting = true;
        state.reach(0, began);
        assert!(!state.is_over(began + Duration::from_secs(70)));
    }
}
