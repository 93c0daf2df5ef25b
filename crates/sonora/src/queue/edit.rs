//! Adding tracks, taking them out, and putting them into another order.

use dalsegno::{Error, ErrorKind, List, Result};
use rand::Rng;
use rand::seq::SliceRandom;

use super::Queue;
use crate::track::Track;

/// Which of a queue's lists is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// What plays next.
    Upcoming,
    /// What played before.
    History,
}

impl Part {
    fn as_str(self) -> &'static str {
        match self {
            Self::Upcoming => "upcoming track",
            Self::History => "track in the history",
        }
    }
}

impl Queue {
    /// The list of that part.
    #[must_use]
    pub fn list(&self, part: Part) -> &List<Track> {
        match part {
            Part::Upcoming => &self.upcoming,
            Part::History => &self.history,
        }
    }

    fn list_mut(&mut self, part: Part) -> &mut List<Track> {
        match part {
            Part::Upcoming => &mut self.upcoming,
            Part::History => &mut self.history,
        }
    }

    /// Adds a track to the upcoming ones, before the one at `position`, at the end where none is given.
    ///
    /// # Errors
    /// `InvalidInput` where the position is beyond the end.
    pub fn add(&mut self, track: Track, position: Option<usize>) -> Result<()> {
        self.insert(
            Part::Upcoming,
            position.unwrap_or(self.upcoming.len()),
            track,
        )
    }

    /// Adds tracks to the upcoming ones, in their order, as [`add`](Self::add) does one; how many.
    ///
    /// # Errors
    /// `InvalidInput` where the position is beyond the end; then none is added.
    pub fn add_many(
        &mut self,
        tracks: impl IntoIterator<Item = Track>,
        position: Option<usize>,
    ) -> Result<usize> {
        let position = position.unwrap_or(self.upcoming.len());
        self.check_gap(Part::Upcoming, position)?;
        let before = self.upcoming.len();
        let rest = self.upcoming.select(position..before);
        self.upcoming.truncate(position);
        self.upcoming.extend(tracks);
        self.upcoming.append(&rest);
        Ok(self.upcoming.len() - before)
    }

    /// Puts a track before the one at `index`; at the end where `index` is the length. A history that is full
    /// forgets its oldest.
    ///
    /// # Errors
    /// `InvalidInput` where the index is beyond the end.
    pub fn insert(&mut self, part: Part, index: usize, track: Track) -> Result<()> {
        self.check_gap(part, index)?;
        self.list_mut(part).insert(index, track);
        self.forget();
        Ok(())
    }

    /// Puts another track in the place of the one at `index`.
    ///
    /// # Errors
    /// `InvalidInput` where there is none.
    pub fn set(&mut self, part: Part, index: usize, track: Track) -> Result<()> {
        self.check(part, index)?;
        self.list_mut(part).set(index, track);
        Ok(())
    }

    /// Takes out the track at `index`.
    ///
    /// # Errors
    /// `InvalidInput` where there is none.
    pub fn remove(&mut self, part: Part, index: usize) -> Result<Track> {
        let len = self.list(part).len();
        let taken = self.list_mut(part).remove(index);
        taken.ok_or_else(|| no_track(part, index, len))
    }

    /// Moves the upcoming track at `from` to `to`, as it is numbered afterwards.
    ///
    /// # Errors
    /// `InvalidInput` where there is none at either.
    pub fn shift(&mut self, from: usize, to: usize) -> Result<()> {
        self.check(Part::Upcoming, from)?;
        self.check(Part::Upcoming, to)?;
        self.upcoming.shift(from, to);
        Ok(())
    }

    /// Drops all tracks of a part; how many.
    pub fn clear(&mut self, part: Part) -> usize {
        std::mem::take(self.list_mut(part)).len()
    }

    /// Puts the upcoming tracks into an order by chance.
    pub fn shuffle<R: Rng + ?Sized>(&mut self, rng: &mut R) {
        let mut order: Vec<usize> = (0..self.upcoming.len()).collect();
        order.shuffle(rng);
        self.upcoming = self.upcoming.select(order);
    }

    /// Whether there is a track at `index`.
    pub(super) fn check(&self, part: Part, index: usize) -> Result<()> {
        let len = self.list(part).len();
        match index < len {
            true => Ok(()),
            false => Err(no_track(part, index, len)),
        }
    }

    /// Whether a track may be put at `index`.
    fn check_gap(&self, part: Part, index: usize) -> Result<()> {
        let len = self.list(part).len();
        match index <= len {
            true => Ok(()),
            false => Err(no_track(part, index, len)),
        }
    }
}

fn no_track(part: Part, index: usize, len: usize) -> Error {
    let part = part.as_str();
    let message = match len {
        0 => format!("there is no {part} {index}: there is none at all; add one first"),
        _ => format!(
            "there is no {part} {index}; give a number from 0 to {}",
            len - 1
        ),
    };
    Error::new(ErrorKind::InvalidInput, message)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::model::{names, queue, track};
    use super::*;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    #[test]
    fn a_wrong_index_changes_nothing_and_says_which_are_right() {
        let mut it = queue("", None, "ab");
        let errors = [
            it.remove(Part::Upcoming, 2).unwrap_err(),
            it.set(Part::Upcoming, 2, track('x')).unwrap_err(),
            it.insert(Part::Upcoming, 3, track('x')).unwrap_err(),
            it.add_many([track('x')], Some(3)).unwrap_err(),
            it.shift(0, 2).unwrap_err(),
            it.shift(2, 0).unwrap_err(),
            it.skip_to(2).unwrap_err(),
        ];
        for error in errors {
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert!(error.to_string().ends_with("from 0 to 1"), "{error}");
        }
        let error = it.remove(Part::History, 0).unwrap_err();
        assert!(error.to_string().contains("none at all"), "{error}");
        assert_eq!(names(&it), (String::new(), None, "ab".to_owned()));
    }

    #[test]
    fn a_shuffled_queue_has_the_same_tracks_in_another_order() {
        let letters = "abcdefghijklmnopqrstuvwxyz";
        let mut it = queue("xy", Some('z'), letters);
        it.shuffle(&mut StdRng::seed_from_u64(1));
        let (history, current, upcoming) = names(&it);
        assert_eq!((history.as_str(), current), ("xy", Some('z')));
        assert_ne!(upcoming, letters);
        let mut sorted: Vec<char> = upcoming.chars().collect();
        sorted.sort_unstable();
        assert_eq!(sorted.into_iter().collect::<String>(), letters);
    }

    #[test]
    fn the_history_has_a_limit_also_for_what_is_put_there() {
        let mut it = queue("abc", None, "");
        it.set_history_limit(2);
        assert_eq!(names(&it).0, "bc");
        it.insert(Part::History, 2, track('d')).unwrap();
        assert_eq!(names(&it).0, "cd");
        it.set_history_limit(0);
        assert_eq!(it.history.len(), 0);
    }
}
