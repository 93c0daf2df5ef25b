//! What plays next, what played before, and what plays already.

use dalsegno::Result;

use super::{LoopMode, Part, Queue};
use crate::track::Track;

/// Why the current track is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Why {
    /// It was played to its end.
    Finished,
    /// Somebody wants to hear the next.
    Skipped,
    /// It cannot be played.
    Failed,
}

/// What a queue was made to agree with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reconciled {
    /// The current track plays: nothing had to be done.
    Same,
    /// One of the upcoming tracks plays; so many before it are counted as played.
    Ahead(usize),
    /// The track before the current one plays: that is upcoming again.
    Behind,
    /// The queue did not know the track that plays.
    Unknown,
}

impl Queue {
    /// Goes on to what plays next, which is the current track then; `None` where nothing does.
    ///
    /// The current track goes to the history. In a loop of the track it stays when it has finished. In a loop of
    /// the queue it goes to the end of the upcoming ones instead, and where there are none of these, the history
    /// begins anew. A track that failed is not repeated at once: it would fail again, without end.
    pub fn advance(&mut self, why: Why) -> Option<&Track> {
        if self.loop_mode == LoopMode::Track && why == Why::Finished && self.current.is_some() {
            return self.current.as_ref();
        }
        let over = self.current.take();
        if self.loop_mode == LoopMode::Queue && why != Why::Failed {
            if self.upcoming.is_empty() {
                self.upcoming = std::mem::take(&mut self.history);
            }
            self.upcoming.extend(over);
        } else {
            self.history.extend(over);
            self.forget();
        }
        self.current = self.upcoming.remove(0);
        self.current.as_ref()
    }

    /// Goes back to what played before, which is the current track then; the one that was goes to the front of
    /// the upcoming ones. `None`, and nothing changes, where nothing played before.
    ///
    /// In a loop of the queue that is the last of the upcoming tracks, if there are any.
    pub fn back(&mut self) -> Option<&Track> {
        let round = self.loop_mode == LoopMode::Queue && !self.upcoming.is_empty();
        let part = match round {
            true => Part::Upcoming,
            false => Part::History,
        };
        let last = self.list(part).len().checked_sub(1)?;
        let before = self.remove(part, last).ok()?;
        if let Some(over) = self.current.replace(before) {
            self.upcoming.push_front(over);
        }
        self.current.as_ref()
    }

    /// Goes on to the upcoming track at `position`. The current one and those before it are over, as if each had
    /// been skipped.
    ///
    /// # Errors
    /// `InvalidInput` where there is no such track.
    pub fn skip_to(&mut self, position: usize) -> Result<Option<&Track>> {
        self.check(Part::Upcoming, position)?;
        self.pass(position);
        self.current = self.upcoming.remove(0);
        Ok(self.current.as_ref())
    }

    /// Agrees with a node that went on alone: `playing` is what it plays.
    ///
    /// Where that is one of the upcoming tracks, the current one and those before it are over, and the track is the
    /// one that the queue has. Where it is the one before, the current one has not begun yet, or is to come again. Where
    /// it is unknown, it becomes the current one, and the upcoming ones stay.
    pub fn reconcile(&mut self, playing: &Track) -> Reconciled {
        if self.current.as_ref().is_some_and(|own| own.is(playing)) {
            return Reconciled::Same;
        }
        if let Some(position) = self.overtake(playing) {
            return Reconciled::Ahead(position);
        }
        if self
            .history
            .iter()
            .last()
            .is_some_and(|own| own.is(playing))
        {
            self.back();
            return Reconciled::Behind;
        }
        self.pass(0);
        self.current = Some(playing.clone());
        Reconciled::Unknown
    }

    /// One of the upcoming tracks is the current one: those before it are over. Answers how many, or nothing where it is
    /// the current one already, or not among them.
    pub(crate) fn overtake(&mut self, track: &Track) -> Option<usize> {
        if self.current.as_ref().is_some_and(|own| own.is(track)) {
            return None;
        }
        let position = self.upcoming.iter().position(|own| own.is(track))?;
        self.pass(position);
        self.current = self.upcoming.remove(0);
        Some(position)
    }

    /// Whether the next track is the current one once more.
    pub(crate) fn repeats(&self) -> bool {
        let twice = self.current.as_ref().zip(self.upcoming.get(0));
        self.loop_mode != LoopMode::Track && twice.is_some_and(|(own, next)| own.is(next))
    }

    /// The current track and the first `count` upcoming ones are over.
    fn pass(&mut self, count: usize) {
        let passed = self.upcoming.select(0..count);
        self.upcoming = self.upcoming.select(count..self.upcoming.len());
        let over = match self.loop_mode {
            LoopMode::Queue => &mut self.upcoming,
            _ => &mut self.history,
        };
        over.extend(self.current.take());
        over.append(&passed);
        self.forget();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::model::{names, queue, track};
    use super::*;

    fn is(it: &Queue, history: &str, current: Option<char>, upcoming: &str) {
        let expected = (history.to_owned(), current, upcoming.to_owned());
        assert_eq!(names(it), expected);
    }

    #[test]
    fn a_looped_track_plays_until_it_is_skipped_or_fails() {
        for why in [Why::Skipped, Why::Failed] {
            let mut it = queue("", Some('a'), "b");
            it.loop_mode = LoopMode::Track;
            it.advance(Why::Finished);
            is(&it, "", Some('a'), "b");
            it.advance(why);
            is(&it, "a", Some('b'), "");
        }
    }

    #[test]
    fn a_looped_queue_plays_round_and_round() {
        let mut it = queue("", Some('a'), "bc");
        it.loop_mode = LoopMode::Queue;
        let mut heard = String::new();
        for _ in 0..6 {
            it.advance(Why::Finished);
            heard.extend(names(&it).1);
        }
        assert_eq!(heard, "bcabca");
        is(&it, "", Some('a'), "bc");
        it.back();
        is(&it, "", Some('c'), "ab");
    }

    #[test]
    fn a_looped_queue_at_its_end_begins_anew() {
        let mut it = queue("ab", Some('c'), "");
        it.loop_mode = LoopMode::Queue;
        it.advance(Why::Finished);
        is(&it, "", Some('a'), "bc");

        let mut it = queue("ab", None, "");
        it.loop_mode = LoopMode::Queue;
        it.advance(Why::Finished);
        is(&it, "", Some('a'), "b");
    }

    #[test]
    fn tracks_that_cannot_be_played_are_not_tried_without_end() {
        let mut it = queue("", Some('a'), "b");
        it.loop_mode = LoopMode::Queue;
        it.advance(Why::Failed);
        is(&it, "a", Some('b'), "");
        assert_eq!(it.advance(Why::Failed), None);
        is(&it, "ab", None, "");
    }

    #[test]
    fn back_undoes_an_advance() {
        let mut it = queue("a", Some('b'), "cd");
        it.advance(Why::Skipped);
        is(&it, "ab", Some('c'), "d");
        it.back();
        is(&it, "a", Some('b'), "cd");
        it.back();
        assert_eq!(it.back(), None);
        is(&it, "", Some('a'), "bcd");
    }

    #[test]
    fn the_tracks_skipped_over_are_history() {
        let mut it = queue("", Some('a'), "bcd");
        it.skip_to(1).unwrap();
        is(&it, "ab", Some('c'), "d");

        let mut it = queue("", Some('a'), "bcd");
        it.loop_mode = LoopMode::Queue;
        it.skip_to(1).unwrap();
        is(&it, "", Some('c'), "dab");
    }

    #[test]
    fn what_a_node_plays_already_becomes_the_current_track() {
        let mut it = queue("", Some('a'), "bcd");
        assert_eq!(it.reconcile(&track('a')), Reconciled::Same);
        is(&it, "", Some('a'), "bcd");

        let mut moved = track('c');
        moved.encoded = "another position".to_owned();
        assert_eq!(it.reconcile(&moved), Reconciled::Ahead(1));
        is(&it, "ab", Some('c'), "d");
        assert_eq!(it.current.as_ref().unwrap().encoded, track('c').encoded);

        // The next one was saved as the current one before it began.
        assert_eq!(it.reconcile(&track('b')), Reconciled::Behind);
        is(&it, "a", Some('b'), "cd");
        it.advance(Why::Finished);

        assert_eq!(it.reconcile(&track('x')), Reconciled::Unknown);
        is(&it, "abc", Some('x'), "d");
    }
}
