//! A node, a client, and tracks for them.

use std::time::Duration;

use dalsegno_scripted as scripted;
use dalsegno_sonora::lavalink::{Address, Password, VoiceServer};
use dalsegno_sonora::{Client, Hold, Options, Track};

pub(crate) const BOT: u64 = 42;

pub(crate) fn node() -> scripted::Node {
    scripted::Node::start(scripted::Options::default()).unwrap()
}

pub(crate) fn address(node: &scripted::Node) -> Address {
    Address::new("127.0.0.1", node.port(), Password::new(node.password()))
}

pub(crate) fn hold() -> Hold {
    Hold {
        settle: Duration::from_millis(20),
        ..Hold::default()
    }
}

pub(crate) fn options(node: &scripted::Node) -> Options {
    Options::new(BOT).node("main", address(node)).hold(hold())
}

pub(crate) async fn client(node: &scripted::Node) -> Client {
    Client::start(options(node)).await.unwrap()
}

pub(crate) fn voice(channel: u64) -> VoiceServer {
    VoiceServer::new(channel, "voice session", "token", "127.0.0.1:1")
}

/// Tracks of the node's catalogue, by their numbers.
pub(crate) async fn tracks(client: &Client, numbers: std::ops::Range<usize>) -> Vec<Track> {
    let mut tracks = Vec::new();
    for number in numbers {
        let found = client.nodes()[0]
            .rest()
            .load(&format!("track-{number}"))
            .await
            .unwrap();
        tracks.extend(found.into_tracks());
    }
    tracks
}

/// Which track of the catalogue plays, and which are upcoming.
pub(crate) fn queue(state: &dalsegno_sonora::State) -> (Option<&str>, Vec<&str>) {
    let current = state
        .queue
        .current
        .as_ref()
        .map(|track| track.info.identifier.as_str());
    (
        current,
        state
            .queue
            .upcoming
            .iter()
            .map(|track| track.info.identifier.as_str())
            .collect(),
    )
}
