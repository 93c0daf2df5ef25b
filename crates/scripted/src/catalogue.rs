//! The tracks that a node can find.

use std::collections::BTreeMap;

/// A track as a source would give it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Track {
    /// The source's own name for it.
    pub identifier: String,
    /// Its title.
    pub title: String,
    /// Who made it.
    pub author: String,
    /// Milliseconds. A stream has no end whatever this says.
    pub length: u64,
    /// The source, `youtube` for one.
    pub source: String,
    /// Its page.
    pub uri: Option<String>,
    /// Whether it goes on for ever, and cannot be sought in.
    pub stream: bool,
    /// Its picture.
    pub artwork_url: Option<String>,
    /// Its International Standard Recording Code.
    pub isrc: Option<String>,
}

/// A list of tracks with an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Playlist {
    /// Its name.
    pub name: String,
    /// The track that is selected, counted from 0.
    pub selected: Option<usize>,
    /// Identifiers of tracks of the catalogue.
    pub tracks: Vec<String>,
}

/// The tracks and playlists that a node finds, and what it fails on.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    tracks: Vec<Track>,
    playlists: BTreeMap<String, Playlist>,
    failing: BTreeMap<String, String>,
}

/// What is found for an identifier.
#[derive(Debug)]
pub(crate) enum Found<'a> {
    Track(&'a Track),
    Playlist(&'a Playlist, Vec<&'a Track>),
    Search(Vec<&'a Track>),
    Nothing,
    Failure(&'a str),
}

impl Track {
    /// A track of YouTube that plays for `length` milliseconds.
    #[must_use]
    pub fn new(identifier: impl Into<String>, length: u64) -> Self {
        let identifier = identifier.into();
        Self {
            title: format!("Title of {identifier}"),
            author: "An author".into(),
            length,
            source: "youtube".into(),
            uri: Some(format!("https://www.youtube.com/watch?v={identifier}")),
            stream: false,
            artwork_url: Some(format!("https://i.ytimg.com/vi/{identifier}/hq.jpg")),
            isrc: None,
            identifier,
        }
    }

    /// A radio station.
    #[must_use]
    pub fn stream(identifier: impl Into<String>) -> Self {
        let identifier = identifier.into();
        Self {
            source: "http".into(),
            uri: Some(identifier.clone()),
            stream: true,
            artwork_url: None,
            ..Self::new(identifier, 0)
        }
    }

    /// The length as nodes say it: of a stream, the largest number there is.
    pub(crate) fn written_length(&self) -> u64 {
        match self.stream {
            true => i64::MAX.unsigned_abs(),
            false => self.length,
        }
    }
}

impl Catalogue {
    /// Tracks `track-0`, `track-1`, … of YouTube, each as long as is said, in milliseconds.
    #[must_use]
    pub fn numbered(count: usize, length: u64) -> Self {
        (0..count).fold(Self::default(), |catalogue, n| {
            catalogue.with(Track::new(format!("track-{n}"), length))
        })
    }

    /// Adds a track.
    #[must_use]
    pub fn with(mut self, track: Track) -> Self {
        self.tracks.push(track);
        self
    }

    /// Adds a playlist at an address.
    #[must_use]
    pub fn with_playlist(mut self, uri: impl Into<String>, playlist: Playlist) -> Self {
        self.playlists.insert(uri.into(), playlist);
        self
    }

    /// Loading this identifier fails with this message.
    #[must_use]
    pub fn failing(mut self, identifier: impl Into<String>, message: impl Into<String>) -> Self {
        self.failing.insert(identifier.into(), message.into());
        self
    }

    pub(crate) fn find(&self, identifier: &str) -> Found<'_> {
        if let Some(message) = self.failing.get(identifier) {
            return Found::Failure(message);
        }
        if let Some(playlist) = self.playlists.get(identifier) {
            let tracks = playlist.tracks.iter().filter_map(|it| self.track(it));
            return Found::Playlist(playlist, tracks.collect());
        }
        let search = |source: &str, words: &str| {
            let words = words.trim().to_lowercase();
            let says = |text: &str| text.to_lowercase().contains(&words);
            let matches =
                |it: &&Track| it.source == source && (says(&it.title) || says(&it.author));
            match self.tracks.iter().filter(matches).collect::<Vec<_>>() {
                none if none.is_empty() => Found::Nothing,
                found => Found::Search(found),
            }
        };
        match identifier.split_once(':') {
            Some(("ytsearch" | "ytmsearch", words)) => search("youtube", words),
            Some(("scsearch", words)) => search("soundcloud", words),
            _ => self.track(identifier).map_or(Found::Nothing, Found::Track),
        }
    }

    /// By identifier or address.
    fn track(&self, name: &str) -> Option<&Track> {
        let is = |it: &&Track| it.identifier == name || it.uri.as_deref() == Some(name);
        self.tracks.iter().find(is)
    }
}
