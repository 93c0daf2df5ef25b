//! Autoplay from what the nodes find: the provider of a client that is given none.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use dalsegno::{Error, ErrorKind, Result};

use crate::autoplay::{Answer, Provider};
use crate::track::Track;
use crate::world::World;

/// What nodes know of tracks.
pub(crate) struct Sources {
    pub(crate) world: Weak<World>,
    /// How a node is asked to search, such as `ytsearch`.
    pub(crate) search: String,
    /// Playlists by their names: what a node finds them by.
    pub(crate) playlists: BTreeMap<String, String>,
}

impl Sources {
    async fn load(&self, identifier: String, limit: usize) -> Result<Vec<Track>> {
        let gone = || Error::new(ErrorKind::Conflict, "the client was closed");
        let world: Arc<World> = self.world.upgrade().ok_or_else(gone)?;
        let node = world.choose(None)?;
        let mut tracks = node.rest().load(&identifier).await?.into_tracks();
        tracks.truncate(limit);
        Ok(tracks)
    }
}

impl Provider for Sources {
    fn search<'a>(&'a self, query: &'a str, limit: usize) -> Answer<'a> {
        Box::pin(self.load(format!("{}:{query}", self.search), limit))
    }

    fn popular(&self, _: usize) -> Answer<'_> {
        Box::pin(async { Err(unknown("what many people hear")) })
    }

    fn random(&self, _: usize) -> Answer<'_> {
        Box::pin(async { Err(unknown("tracks by chance")) })
    }

    fn playlist<'a>(&'a self, name: &'a str, limit: usize) -> Answer<'a> {
        Box::pin(async move {
            match self.playlists.get(name) {
                Some(identifier) => self.load(identifier.clone(), limit).await,
                None => Err(Error::new(
                    ErrorKind::NotFound,
                    format!("there is no playlist {name:?}"),
                )),
            }
        })
    }
}

fn unknown(what: &str) -> Error {
    Error::new(
        ErrorKind::NotFound,
        format!("a node does not know {what}; give the client a provider that does"),
    )
}
