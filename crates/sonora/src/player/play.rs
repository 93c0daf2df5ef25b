//! Making the node play what the queue says.

use std::time::Instant;

use dalsegno::{Error, ErrorKind, Result};
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::{Next, Player};
use crate::autoplay;
use crate::event::Happened;
use crate::lavalink::{PlayerChange, TrackChange};
use crate::node::Node;
use crate::queue::Why;
use crate::track::Track;

/// More tracks than this are not looked at in one go, should none of them play.
const TRIES: usize = 5;

impl Player {
    /// Does what follows from what happened. What fails is told, and the state says what should be.
    pub(crate) async fn carry_out(&self, mut next: Next) {
        for _ in 0..TRIES {
            match next {
                Next::Nothing => return,
                Next::Play => match self.begin(0).await {
                    Ok(()) => return,
                    Err(error) => {
                        let refused =
                            matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::NotFound);
                        self.happened(Happened::Failed(error.to_string()));
                        if !refused {
                            // The node, not the track: it is played when a node is there again.
                            return;
                        }
                        next = self.locked().go_on(Why::Failed, Instant::now());
                    }
                },
                Next::Find => {
                    next = if self.choose_next().await {
                        Next::Play
                    } else {
                        Next::Silence
                    };
                }
                Next::Silence => {
                    self.happened(Happened::QueueEmpty);
                    return;
                }
            }
        }
    }

    /// The current track plays from `position`, and pauses or not as the state says. The caller has the turn.
    ///
    /// # Errors
    /// Of the node; `InvalidInput` or `NotFound` where the track cannot be played.
    pub(crate) async fn begin(&self, position: u64) -> Result<()> {
        let (track, paused) = {
            let state = self.locked();
            (state.queue.current.clone(), state.paused)
        };
        let Some(track) = track else { return Ok(()) };
        let change = |track: &Track| PlayerChange {
            track: Some(TrackChange::play(track)),
            position: Some(position),
            end_time: Some(None),
            paused: Some(paused),
            ..PlayerChange::default()
        };
        let node = self.seated()?;
        let known = !track.encoded.is_empty();
        if known {
            match self.tell(&change(&track)).await {
                Err(error) if error.kind() == ErrorKind::InvalidInput => {}
                told => return told.map(drop),
            }
        }
        let found = look_up(&node, &track).await?;
        if let Some(current) = &mut self.locked().queue.current {
            current.encoded.clone_from(&found.encoded);
            if current.info.identifier.is_empty() {
                current.info = found.info.clone();
            }
        }
        self.tell(&change(&found)).await.map(drop)
    }

    /// Autoplay chooses the next track; false where it has none.
    async fn choose_next(&self) -> bool {
        let Ok(provider) = self.world().map(|world| world.provider()) else {
            return false;
        };
        let state = self.state();
        let (own, history) = (&state.autoplay, &state.queue.history);
        let over = history.iter().last();
        let mut rng = StdRng::from_rng(&mut rand::rng());
        let found = autoplay::next(own, &*provider, history, over, &mut rng).await;
        for failure in found.failed {
            self.happened(Happened::Failed(format!(
                "autoplay by {}: {}",
                failure.by, failure.error
            )));
        }
        let Some(track) = found.track else {
            return false;
        };
        let mut state = self.locked();
        // Somebody may have added one meanwhile: that comes first.
        if state.queue.upcoming.is_empty() {
            state.queue.upcoming.push_back(track);
        }
        state.queue.advance(Why::Finished);
        state.starting = true;
        state.reach(0, Instant::now());
        true
    }
}

/// What a node plays a track by, found by its address or what its source calls it.
pub(crate) async fn look_up(node: &Node, track: &Track) -> Result<Track> {
    let info = &track.info;
    let named = [info.uri.as_deref(), Some(info.identifier.as_str())];
    let named: Vec<&str> = named
        .into_iter()
        .flatten()
        .filter(|name| !name.is_empty())
        .collect();
    if named.is_empty() {
        return Err(Error::new(
            ErrorKind::InvalidInput,
            format!(
                "the track {:?} has nothing that a node could find it by",
                info.title
            ),
        ));
    }
    let mut failed = None;
    for name in named {
        match node.rest().load(name).await {
            Ok(loaded) => {
                let found = loaded
                    .into_tracks()
                    .into_iter()
                    .find(|it| !it.encoded.is_empty());
                if let Some(found) = found {
                    return Ok(Track {
                        user_data: track.user_data.clone(),
                        ..found
                    });
                }
            }
            Err(error) if error.kind() == ErrorKind::NotFound => failed = Some(error),
            Err(error) => return Err(error),
        }
    }
    let gone = || {
        Error::new(
            ErrorKind::NotFound,
            format!("no node finds the track {:?} any more", info.title),
        )
    };
    Err(failed.unwrap_or_else(gone))
}
