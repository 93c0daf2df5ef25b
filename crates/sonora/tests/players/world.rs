//! A node, a client, and tracks for them.

use std::sync::Arc;
use std::time::Duration;

use dalsegno::{Engine, ErrorKind, Result};
use dalsegno_scripted as scripted;
use dalsegno_sonora::lavalink::{Address, Password, VoiceServer};
use dalsegno_sonora::{
    Bot, Client, Hold, Keeping, Options, Player, Recovery, Track, Voice, Waiting,
};
use serde_json::Value;

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

/// Channels that can be joined; 13 is none of them.
pub(crate) struct Channels;

impl Voice for Channels {
    fn join(&self, _: u64, channel: u64) -> Waiting<'_, Result<VoiceServer>> {
        Box::pin(async move {
            match channel {
                13 => Err(dalsegno::Error::new(
                    ErrorKind::NotFound,
                    "this channel was deleted",
                )),
                channel => Ok(voice(channel)),
            }
        })
    }
}

pub(crate) fn engine(folder: &tempfile::TempDir) -> Arc<Engine> {
    let guards = vec![dalsegno_sonora::guard("sonora").unwrap()];
    let options = dalsegno::Options::default().guards(guards);
    let path = folder.path().join("store.db");
    Arc::new(
        if path.exists() {
            options.open(path)
        } else {
            options.create(path)
        }
        .unwrap(),
    )
}

pub(crate) async fn bot(engine: &Arc<Engine>, options: Options) -> (Bot, Recovery) {
    Bot::start(Arc::clone(engine), options, Keeping::default())
        .await
        .unwrap()
}

/// A player of the bot that plays the first track at 45 s, with others after it.
pub(crate) async fn playing(bot: &Bot, guild: u64, upcoming: usize) -> Player {
    let player = bot.get_player(guild).await.unwrap();
    player.connect(voice(5)).await.unwrap();
    let mut found = tracks(bot.client(), 0..upcoming + 1).await;
    let rest = found.split_off(1);
    player.play(found.remove(0)).await.unwrap();
    player
        .edit(None, |state| state.queue.add_many(rest, None))
        .unwrap();
    player.seek(45_000).await.unwrap();
    player
}

/// Its document, as JSON.
pub(crate) fn document(player: &Player) -> Value {
    serde_json::from_slice(&player.document().unwrap().to_text()).unwrap()
}

/// A player with all that a restore has to bring back.
pub(crate) async fn playing_all(client: &Client) -> Player {
    let player = client.get_player(7);
    player.connect(voice(5)).await.unwrap();
    let mut found = tracks(client, 0..4).await;
    let rest = found.split_off(1);
    player.play(found.remove(0)).await.unwrap();
    player
        .edit(None, |state| state.queue.add_many(rest, None))
        .unwrap();
    player.seek(45_000).await.unwrap();
    player.set_volume(30).await.unwrap();
    let mut filters = player.state().filters;
    filters.preset("nightcore").unwrap();
    player.set_filters(filters).await.unwrap();
    player.pause(true).await.unwrap();
    player
}

/// A player that plays the first track of the catalogue.
pub(crate) async fn playing_one(client: &Client) -> Player {
    let player = client.get_player(7);
    player.connect(voice(5)).await.unwrap();
    let track = tracks(client, 0..1).await.remove(0);
    player.play(track).await.unwrap();
    player
}
