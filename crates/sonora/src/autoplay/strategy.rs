//! The ways to find what plays next.

use std::fmt;
use std::str::FromStr;

use dalsegno::{Error, ErrorKind, Result};

/// By what autoplay finds a track.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Strategy {
    /// Who made the last track.
    SimilarArtist,
    /// What the last track's title speaks of.
    SimilarGenre,
    /// What is popular where the tracks come from.
    Popularity,
    /// Chance.
    Random,
    /// Artist and title together: the nearest of all that is found by either.
    Smart,
}

impl Strategy {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::SimilarArtist,
        Self::SimilarGenre,
        Self::Popularity,
        Self::Random,
        Self::Smart,
    ];

    /// Its word, such as `similar_artist`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SimilarArtist => "similar_artist",
            Self::SimilarGenre => "similar_genre",
            Self::Popularity => "popularity",
            Self::Random => "random",
            Self::Smart => "smart",
        }
    }
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Strategy {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|known| known.as_str() == word);
        found.ok_or_else(|| {
            let known = Self::ALL.map(Self::as_str).join(", ");
            let message = format!("{word:?} is no strategy of autoplay; give one of {known}");
            Error::new(ErrorKind::InvalidInput, message)
        })
    }
}
