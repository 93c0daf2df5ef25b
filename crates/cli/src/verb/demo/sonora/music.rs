//! What is played: two hundred tracks with names that can be read.

use dalsegno_scripted::{Catalogue, Playlist, Track};

/// Where all tracks are found at once.
pub(super) const ALL: &str = "https://example.org/all";

const HOW: [&str; 20] = [
    "Amber", "Blue", "Crooked", "Distant", "Early", "Foggy", "Golden", "Hidden", "Idle", "Jolly",
    "Kind", "Late", "Mellow", "Northern", "Open", "Paper", "Quiet", "Restless", "Silver", "Tender",
];

const WHAT: [&str; 10] = [
    "Avenue", "Bridge", "Candle", "Dance", "Evening", "Ferry", "Garden", "Harbour", "Island",
    "Journey",
];

pub(super) fn catalogue() -> Catalogue {
    let named = WHAT
        .into_iter()
        .flat_map(|what| HOW.map(|how| format!("{how} {what}")));
    let tracks: Vec<Track> = named
        .zip(0_u64..)
        .map(|(title, number)| Track {
            title,
            ..Track::new(format!("track-{number}"), 190_000 + 1_000 * (number % 60))
        })
        .collect();
    let playlist = Playlist {
        name: "All".to_owned(),
        selected: None,
        tracks: tracks
            .iter()
            .map(|track| track.identifier.clone())
            .collect(),
    };
    tracks
        .into_iter()
        .fold(Catalogue::default(), Catalogue::with)
        .with_playlist(ALL, playlist)
}
