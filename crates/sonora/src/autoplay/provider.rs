//! Where autoplay gets tracks from.

use std::pin::Pin;

use dalsegno::Result;

use crate::track::Track;

/// Tracks that are still to come.
pub type Answer<'a> = Pin<Box<dyn Future<Output = Result<Vec<Track>>> + Send + 'a>>;

/// What knows tracks to play, such as a node with its sources. The best come first.
pub trait Provider: Send + Sync {
    /// At most `limit` tracks that answer to `query`, which is in words.
    fn search<'a>(&'a self, query: &'a str, limit: usize) -> Answer<'a>;

    /// At most `limit` tracks that many people hear.
    fn popular(&self, limit: usize) -> Answer<'_>;

    /// At most `limit` tracks by chance.
    fn random(&self, limit: usize) -> Answer<'_>;

    /// At most `limit` tracks of the playlist `name`.
    fn playlist<'a>(&'a self, name: &'a str, limit: usize) -> Answer<'a>;
}
