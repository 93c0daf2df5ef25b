//! What a player plays, will play, and has played.

mod edit;
#[cfg(test)]
mod model;
mod stored;
mod turn;

use std::fmt;
use std::str::FromStr;

use dalsegno::{Error, ErrorKind, List, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use edit::Part;
pub use turn::{Reconciled, Why};

use crate::track::Track;

/// How many tracks the history keeps unless told otherwise.
const HISTORY_LIMIT: usize = 100;

/// The tracks of a player. Cloning it takes the same time however many there are.
///
/// ```
/// use dalsegno_sonora::{Queue, Track, TrackInfo, Why};
///
/// # fn main() -> dalsegno::Result<()> {
/// let mut queue = Queue::default();
/// queue.add(Track::new("QAAB", TrackInfo::default()), None)?;
/// assert_eq!(queue.advance(Why::Finished).map(|track| track.encoded.as_str()), Some("QAAB"));
/// assert!(queue.advance(Why::Finished).is_none());
/// assert_eq!(queue.history.len(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Queue {
    /// What plays next, in order.
    pub upcoming: List<Track>,
    /// What played before, the latest last.
    pub history: List<Track>,
    /// What plays now.
    pub current: Option<Track>,
    /// What happens at the end of a track, and of the queue.
    pub loop_mode: LoopMode,
    /// Whether whoever adds tracks wants them shuffled; only kept here.
    pub shuffle_enabled: bool,
    /// What else a stored queue said about itself, kept as it is.
    pub other: Map<String, Value>,
    history_limit: usize,
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            upcoming: List::new(),
            history: List::new(),
            current: None,
            loop_mode: LoopMode::None,
            shuffle_enabled: false,
            other: Map::new(),
            history_limit: HISTORY_LIMIT,
        }
    }
}

impl Queue {
    /// How many tracks the history keeps, the oldest going first.
    #[must_use]
    pub fn history_limit(&self) -> usize {
        self.history_limit
    }

    /// Keeps that many tracks of the history from now on; 0 keeps none.
    pub fn set_history_limit(&mut self, limit: usize) {
        self.history_limit = limit;
        self.forget();
    }

    /// Drops what is beyond the history's limit.
    fn forget(&mut self) {
        let len = self.history.len();
        if len > self.history_limit {
            self.history = self.history.select(len - self.history_limit..len);
        }
    }
}

/// What happens at the end of a track, and of the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", try_from = "String")]
pub enum LoopMode {
    /// Every track plays once.
    #[default]
    None,
    /// The same track plays again until it is skipped.
    Track,
    /// All tracks play round and round.
    Queue,
    /// Every track plays once, and autoplay finds more.
    Autoplay,
}

impl LoopMode {
    const ALL: [Self; 4] = [Self::None, Self::Track, Self::Queue, Self::Autoplay];

    /// Its word: `none`, `track`, `queue` or `autoplay`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Track => "track",
            Self::Queue => "queue",
            Self::Autoplay => "autoplay",
        }
    }
}

impl fmt::Display for LoopMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for LoopMode {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|mode| mode.as_str() == word);
        found.ok_or_else(|| {
            let message = format!("{word:?} is no loop mode; give none, track, queue or autoplay");
            Error::new(ErrorKind::InvalidInput, message)
        })
    }
}

impl TryFrom<String> for LoopMode {
    type Error = Error;

    fn try_from(word: String) -> Result<Self> {
        word.parse()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_loop_mode_is_its_word() {
        for mode in LoopMode::ALL {
            assert_eq!(mode.to_string().parse::<LoopMode>().unwrap(), mode);
            let json = serde_json::to_string(&mode).unwrap();
            assert_eq!(json, format!("\"{mode}\""));
            assert_eq!(serde_json::from_str::<LoopMode>(&json).unwrap(), mode);
        }
        let error = serde_json::from_str::<LoopMode>("\"all\"").unwrap_err();
        assert!(
            error.to_string().contains("none, track, queue or autoplay"),
            "{error}"
        );
    }
}
