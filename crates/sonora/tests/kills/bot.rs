//! The bot that is killed: a program of its own, which says what it does, and what it was told is safe.

use std::collections::HashMap;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use dalsegno::{Engine, Result};
use dalsegno_sonora::lavalink::{Address, Password, VoiceServer};
use dalsegno_sonora::{
    Bot, Component, Hold, How, Keeping, LoopMode, Options, Player, Track, Voice, Waiting,
};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use crate::guild::{ALL, Kind};

/// Tells the program that it is the one to be killed, and what to do.
pub(crate) const ORDERS: &str = "DALSEGNO_SONORA_ORDERS";

struct Channels;

impl Voice for Channels {
    fn join(&self, _: u64, channel: u64) -> Waiting<'_, Result<VoiceServer>> {
        Box::pin(async move { Ok(voice(channel)) })
    }
}

fn voice(channel: u64) -> VoiceServer {
    VoiceServer::new(channel, "voice session", "token", "127.0.0.1:1")
}

fn say(words: std::fmt::Arguments<'_>) {
    let mut out = std::io::stdout().lock();
    // Where nobody listens any more, the kill is on its way.
    let _gone = out
        .write_all(format!("\n{words}\n").as_bytes())
        .and_then(|()| out.flush());
}

fn engine(store: PathBuf) -> Arc<Engine> {
    let guards = vec![dalsegno_sonora::guard("sonora").unwrap()];
    let options = dalsegno::Options::default().guards(guards);
    Arc::new(options.open(store).unwrap())
}

#[test]
#[ignore = "it runs until it is killed, by the tests in rounds.rs"]
fn play() {
    let Ok(orders) = std::env::var(ORDERS) else {
        return;
    };
    let orders: Value = serde_json::from_str(&orders).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(run(&orders));
}

async fn run(orders: &Value) {
    let mut options = Options::new(42)
        .hold(Hold {
            settle: Duration::from_millis(30),
            ..Hold::default()
        })
        .voice(Arc::new(Channels));
    for (name, port) in orders["nodes"].as_object().unwrap() {
        let port = u16::try_from(port.as_u64().unwrap()).unwrap();
        let address = Address::new("127.0.0.1", port, Password::new("youshallnotpass"));
        options = options.node(name, address);
    }
    let keeping = Keeping {
        every: Duration::from_millis(orders["every"].as_u64().unwrap()),
        ..Keeping::default()
    };
    let engine = engine(orders["store"].as_str().unwrap().into());
    let (bot, recovery) = Bot::start(engine, options, keeping).await.unwrap();
    assert!(
        recovery.passed_over.is_empty(),
        "{:?}",
        recovery.passed_over
    );
    for brought in &recovery.players {
        let how = match &brought.how {
            How::Failed { why } => panic!("guild {}: {why}", brought.guild),
            how => serde_json::to_value(how).unwrap()["how"].clone(),
        };
        say(format_args!(
            "brought {} {}",
            brought.guild,
            how.as_str().unwrap()
        ));
    }
    let guilds = orders["guilds"].as_u64().unwrap();
    if recovery.players.is_empty() {
        fill(&bot, guilds).await;
    }
    for guild in 0..guilds {
        say(format_args!(
            "state {guild} {}",
            state(&bot.client().player(guild).unwrap())
        ));
    }
    say(format_args!("ready"));
    // Nothing is done while the test looks.
    let _told = std::io::stdin().read_line(&mut String::new());
    work(&bot, guilds, orders["seed"].as_u64().unwrap()).await;
}

fn state(player: &Player) -> Value {
    let state = player.state();
    let tracks = state
        .queue
        .current
        .iter()
        .chain(state.queue.upcoming.iter());
    let names: Vec<&str> = tracks.map(|track| track.info.identifier.as_str()).collect();
    json!({"tracks": names, "volume": state.volume, "paused": state.paused,
        "filters": state.filters.stored(), "plays": state.queue.current.is_some()})
}

/// All guilds begin to play.
async fn fill(bot: &Bot, guilds: u64) {
    let found = bot.client().nodes()[0]
        .rest()
        .load(ALL)
        .await
        .unwrap()
        .into_tracks();
    let found: HashMap<String, Track> = found
        .into_iter()
        .map(|track| (track.info.identifier.clone(), track))
        .collect();
    for guild in 0..guilds {
        let kind = Kind::of(guild);
        let player = bot.get_player(guild).await.unwrap();
        player.connect(voice(1_000 + guild)).await.unwrap();
        player.set_volume(kind.volume()).await.unwrap();
        if kind == Kind::Filtered {
            let mut filters = player.state().filters;
            filters.preset("nightcore").unwrap();
            player.set_filters(filters).await.unwrap();
        }
        let mut tracks: Vec<Track> = kind
            .tracks()
            .iter()
            .map(|name| found[name].clone())
            .collect();
        let rest = tracks.split_off(1);
        player
            .edit(None, |state| {
                state.queue.loop_mode = match kind {
                    Kind::LoopTrack => LoopMode::Track,
                    Kind::LoopQueue => LoopMode::Queue,
                    _ => LoopMode::None,
                };
                state.queue.add_many(rest, None)
            })
            .unwrap();
        player.play(tracks.remove(0)).await.unwrap();
        if kind == Kind::Paused {
            player.pause(true).await.unwrap();
        }
    }
    bot.save(None).await.unwrap();
}

/// Works on the guilds that are there for that, until it is killed.
async fn work(bot: &Bot, guilds: u64, seed: u64) {
    let mut rng = StdRng::seed_from_u64(seed);
    let works = |guild: &u64| matches!(Kind::of(*guild), Kind::Busy | Kind::Restored);
    let mut there: Vec<u64> = (0..guilds).filter(works).collect();
    there.truncate(40);
    loop {
        let guild = *there.choose(&mut rng).unwrap();
        let player = bot.client().player(guild).unwrap();
        let what = match (Kind::of(guild), rng.random_range(0..4)) {
            (Kind::Restored, _) => restore(&player).await,
            (_, 0) => skip(&player).await,
            (_, 1) => add(&player),
            (_, 2) => {
                let paused = !player.state().paused;
                say(format_args!("doing {guild} paused {paused}"));
                player.pause(paused).await.unwrap();
                "paused"
            }
            _ => {
                let volume = rng.random_range(0..=1000);
                say(format_args!("doing {guild} volume {volume}"));
                player.set_volume(volume).await.unwrap();
                "volume"
            }
        };
        bot.save(Some(guild)).await.unwrap();
        say(format_args!("ack {guild} {what}"));
    }
}

async fn restore(player: &Player) -> &'static str {
    let before = serde_json::from_slice(&player.document().unwrap().to_text()).unwrap();
    say(format_args!("doing {} restore", player.guild()));
    player.load(&before, &Component::ALL).await.unwrap();
    "restore"
}

async fn skip(player: &Player) -> &'static str {
    say(format_args!("doing {} skip", player.guild()));
    let next = player.state().queue.upcoming.get(0).cloned();
    // What was added is only in the queue: no node knows it.
    if next.is_some_and(|track| track.info.identifier.starts_with("long")) {
        player.skip().await.unwrap();
    }
    "skip"
}

fn add(player: &Player) -> &'static str {
    let track = player.state().queue.upcoming.iter().last().unwrap().clone();
    let mut named = track;
    let number: usize = named
        .info
        .identifier
        .rsplit('-')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    named.info.identifier = format!("added-{}", number + 1);
    say(format_args!(
        "doing {} add {}",
        player.guild(),
        named.info.identifier
    ));
    player
        .edit(None, |state| state.queue.add(named, None))
        .unwrap();
    "add"
}
