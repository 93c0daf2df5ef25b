//! The guilds, each of a kind, and what each of them plays in which order.

use dalsegno_scripted::{Catalogue, Playlist, Track};

/// Where all tracks are found at once.
pub(crate) const ALL: &str = "https://example.org/all";

/// How many tracks a guild has.
pub(crate) const TRACKS: usize = 200;

/// What is particular about a guild.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Long,
    Paused,
    Filtered,
    /// Tracks of a few seconds: some end around a kill, some while the bot is away.
    Short,
    /// Each track twice in a row.
    Twice,
    LoopTrack,
    LoopQueue,
    Stream,
    /// Skipped in, added to, paused, turned up and down.
    Busy,
    /// Restored from what it was a moment ago, again and again.
    Restored,
}

use Kind::{Busy, Filtered, Long, LoopQueue, LoopTrack, Paused, Restored, Short, Stream, Twice};

impl Kind {
    pub(crate) fn of(guild: u64) -> Self {
        let kinds = [
            Long, Paused, Filtered, Short, Twice, LoopTrack, LoopQueue, Stream, Busy, Restored,
        ];
        kinds[usize::try_from(guild % 10).unwrap()]
    }

    /// The identifiers of all its tracks, in order.
    pub(crate) fn tracks(self) -> Vec<String> {
        let (name, count) = match self {
            Short | LoopTrack => ("short", TRACKS),
            LoopQueue => ("short", 3),
            Twice => {
                return (0..TRACKS)
                    .map(|n| format!("long-short-{}", n / 2))
                    .collect();
            }
            _ => ("long", TRACKS),
        };
        let mut tracks: Vec<String> = (0..count).map(|n| format!("{name}-{n}")).collect();
        if self == Stream {
            tracks.insert(0, "stream".to_owned());
        }
        tracks
    }

    /// Whether its tracks end by themselves while the test looks.
    pub(crate) fn moves(self) -> bool {
        matches!(self, Short | Twice | LoopTrack | LoopQueue)
    }

    pub(crate) fn volume(self) -> u16 {
        match self {
            Paused => 35,
            Filtered => 80,
            Short => 120,
            _ => 100,
        }
    }
}

pub(crate) fn long() -> bool {
    std::env::var_os("DALSEGNO_LONG").is_some()
}

/// How long the tracks are that come twice in a row: longer than the bot is ever away. Where the second one begins and ends
/// while nothing is saved, nobody knows whether it was the first.
fn twice() -> u64 {
    if long() { 40_000 } else { 4_000 }
}

pub(crate) fn catalogue() -> Catalogue {
    let long = (0..TRACKS).map(|n| Track::new(format!("long-{n}"), 600_000));
    let short = (0..TRACKS).map(|n| (format!("short-{n}"), 1_500 + 61 * (n as u64 % 40)));
    let twice =
        (0..TRACKS / 2).map(|n| (format!("long-short-{n}"), twice() + 61 * (n as u64 % 40)));
    let short = short
        .chain(twice)
        .map(|(name, length)| Track::new(name, length));
    let mut stream = Track::new("stream", 0);
    stream.stream = true;
    let all: Vec<Track> = long.chain(short).chain([stream]).collect();
    let playlist = Playlist {
        name: "All".into(),
        selected: None,
        tracks: all.iter().map(|track| track.identifier.clone()).collect(),
    };
    all.into_iter()
        .fold(Catalogue::default(), Catalogue::with)
        .with_playlist(ALL, playlist)
}
