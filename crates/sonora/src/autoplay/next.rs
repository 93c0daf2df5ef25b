//! Finding the track that plays next.

use dalsegno::{Error, ErrorKind, List, Result};
use rand::{Rng, RngExt};

use super::Autoplay;
use super::provider::Provider;
use super::similar::{artists, both, same_song, words};
use super::strategy::Strategy;
use crate::track::Track;

/// How many tracks a provider is asked for.
const LIMIT: usize = 20;
/// How many of them a playlist may have: any is as good as the first.
const PLAYLIST: usize = 200;
/// How many words of a title are searched for.
const WORDS: usize = 3;

/// What autoplay found.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Next {
    /// The track to play; none where nothing was found, or autoplay is off.
    pub track: Option<Track>,
    /// What gave it: the word of the strategy, or `fallback_playlist`.
    pub by: Option<String>,
    /// What gave nothing before, and why.
    pub failed: Vec<Failure>,
}

/// A way to find a track that gave none.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Failure {
    /// The word of the strategy, or `fallback_playlist`.
    pub by: String,
    /// What the provider answered; `NotFound` where it had nothing that was not heard lately, `InvalidInput` where
    /// the strategy is unknown.
    pub error: Error,
}

/// Finds what plays when the queue has come to its end: by the strategy, else from the fallback playlist. It is none of
/// the last [`max_history`](Autoplay::max_history) tracks, and not the current one. What a provider fails at is in the
/// answer, and is no error.
pub async fn next<R: Rng + Send + ?Sized>(
    autoplay: &Autoplay,
    provider: &dyn Provider,
    history: &List<Track>,
    current: Option<&Track>,
    rng: &mut R,
) -> Next {
    let mut next = Next::default();
    if !autoplay.enabled {
        return next;
    }
    let skipped = history.len().saturating_sub(autoplay.max_history);
    let heard: Vec<&Track> = history.iter().skip(skipped).chain(current).collect();
    let last = current.or_else(|| history.get(history.len().checked_sub(1)?));

    let (found, first) = match autoplay.strategy.parse() {
        Ok(strategy) => (
            suggest(strategy, provider, last).await,
            strategy != Strategy::Random,
        ),
        Err(error) => (Err(error), true),
    };
    next.take(&autoplay.strategy, found, &heard, first, rng);

    let playlist = &autoplay.fallback_playlist;
    if next.track.is_none() && !playlist.is_empty() {
        let found = provider.playlist(playlist, PLAYLIST).await;
        next.take("fallback_playlist", found, &heard, false, rng);
    }
    next
}

impl Next {
    /// Takes one of what `by` found that was not heard: the first, or any.
    fn take<R: Rng + ?Sized>(
        &mut self,
        by: &str,
        found: Result<Vec<Track>>,
        heard: &[&Track],
        first: bool,
        rng: &mut R,
    ) {
        let taken = found.and_then(|mut tracks| {
            tracks.retain(|track| !heard.iter().any(|heard| same_song(heard, track)));
            if tracks.is_empty() {
                let message = format!("{by} found nothing that was not heard lately");
                return Err(Error::new(ErrorKind::NotFound, message));
            }
            let place = if first {
                0
            } else {
                rng.random_range(..tracks.len())
            };
            Ok(tracks.swap_remove(place))
        });
        match taken {
            Ok(track) => (self.track, self.by) = (Some(track), Some(by.to_owned())),
            Err(error) => self.failed.push(Failure {
                by: by.to_owned(),
                error,
            }),
        }
    }
}

/// What a strategy finds, the best first.
async fn suggest(
    strategy: Strategy,
    provider: &dyn Provider,
    last: Option<&Track>,
) -> Result<Vec<Track>> {
    let Some(last) = last else {
        return match strategy {
            Strategy::Popularity => provider.popular(LIMIT).await,
            Strategy::Random => provider.random(LIMIT).await,
            // There is nothing yet that it could be similar to.
            Strategy::SimilarArtist | Strategy::SimilarGenre | Strategy::Smart => Ok(Vec::new()),
        };
    };
    let artist = last.info.author.clone();
    let words = words(&last.info.title);
    let genre = words.into_iter().take(WORDS).collect::<Vec<_>>().join(" ");
    match strategy {
        Strategy::Popularity => provider.popular(LIMIT).await,
        Strategy::Random => provider.random(LIMIT).await,
        Strategy::SimilarGenre => search(provider, &[genre]).await,
        Strategy::SimilarArtist => {
            let found = search(provider, &[artist]).await?;
            Ok(nearest(found, |track| artists(last, track)))
        }
        Strategy::Smart => {
            let found = search(provider, &[artist, genre]).await?;
            Ok(nearest(found, |track| both(last, track)))
        }
    }
}

/// What is found by any of the queries.
///
/// # Errors
/// What the provider answered, where nothing is found.
async fn search(provider: &dyn Provider, queries: &[String]) -> Result<Vec<Track>> {
    let (mut found, mut failed) = (Vec::new(), None);
    for query in queries.iter().filter(|query| !query.is_empty()) {
        match provider.search(query, LIMIT).await {
            Ok(tracks) => found.extend(tracks),
            Err(error) => failed = Some(error),
        }
    }
    match failed {
        Some(error) if found.is_empty() => Err(error),
        _ => Ok(found),
    }
}

/// The nearest first; of equally near ones, as the provider had them.
fn nearest(mut tracks: Vec<Track>, score: impl Fn(&Track) -> f64) -> Vec<Track> {
    tracks.sort_by(|one, two| score(two).total_cmp(&score(one)));
    tracks
}
