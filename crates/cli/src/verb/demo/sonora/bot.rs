//! The program that is killed: a bot that plays in all guilds, and brings them back when it is started again.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use dalsegno_sonora::lavalink::{Address, Password, VoiceServer};
use dalsegno_sonora::{Bot, Hold, How, Keeping, Options, Player, Track, Voice, Waiting};
use serde::{Deserialize, Serialize};

use super::{EVERY, GUILDS, music};
use crate::failure::{Failure, Result};
use crate::global::Global;
use crate::place::Place;

/// The bot's id.
const BOT: u64 = 42;

/// Play in the demo's guilds until killed
#[derive(Debug, Args)]
pub(crate) struct DemoBot {
    /// A node: its name and its port on this machine
    #[arg(long = "node", value_name = "NAME=PORT", required = true)]
    nodes: Vec<String>,
}

/// What the bot says of a guild.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Said {
    pub(super) guild: u64,
    /// How it came back; nothing at the first start.
    pub(super) how: Option<String>,
    pub(super) node: Option<String>,
    pub(super) title: String,
    /// The identifiers of the current track and of the upcoming ones.
    pub(super) tracks: Vec<String>,
    pub(super) filters: Vec<String>,
}

/// Channels that can always be joined.
struct Channels;

impl Voice for Channels {
    fn join(&self, _: u64, channel: u64) -> Waiting<'_, dalsegno::Result<VoiceServer>> {
        Box::pin(async move { Ok(voice(channel)) })
    }
}

fn voice(channel: u64) -> VoiceServer {
    VoiceServer::new(channel, "voice session", "token", "127.0.0.1:1")
}

impl DemoBot {
    pub(crate) fn run(&self, global: &Global) -> Result<()> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build();
        let runtime = runtime.map_err(|e| Failure::io("starting the bot's runtime", e))?;
        runtime.block_on(self.play(global))
    }

    fn options(&self) -> Result<Options> {
        let hold = Hold {
            settle: Duration::from_millis(100),
            ..Hold::default()
        };
        let mut options = Options::new(BOT).hold(hold).voice(Arc::new(Channels));
        for node in &self.nodes {
            let named = node
                .split_once('=')
                .and_then(|(name, port)| Some((name, port.parse().ok()?)));
            let Some((name, port)) = named else {
                return Err(Failure::usage(format!("{node:?} is no NAME=PORT")));
            };
            let address = Address::new("127.0.0.1", port, Password::new("youshallnotpass"));
            options = options.node(name, address);
        }
        Ok(options)
    }

    async fn play(&self, global: &Global) -> Result<()> {
        let engine = Arc::new(Place::open(global)?);
        let keeping = Keeping {
            every: EVERY,
            ..Keeping::default()
        };
        let (bot, recovery) = Bot::start(engine, self.options()?, keeping).await?;
        if recovery.players.is_empty() {
            fill(&bot).await?;
        }
        for player in bot.client().players() {
            let brought = recovery
                .players
                .iter()
                .find(|it| it.guild == player.guild());
            let how = brought.map(|brought| match &brought.how {
                How::Failed { why } => why.to_string(),
                how => serde_json::to_value(how)
                    .ok()
                    .and_then(|how| how["how"].as_str().map(str::to_owned))
                    .unwrap_or_default(),
            });
            let said = serde_json::to_string(&said(&player, how))
                .map_err(|e| Failure::problem(e.to_string()))?;
            say(&said)?;
        }
        say("ready")?;
        // Until it is killed; or the demo ended, and nobody holds this any more.
        let held = tokio::task::spawn_blocking(|| io::stdin().read_line(&mut String::new()));
        drop(held.await);
        Ok(bot.stop().await?)
    }
}

fn say(words: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    let said = writeln!(out, "{words}").and_then(|()| out.flush());
    said.map_err(|e| Failure::io("telling the demo", e))
}

fn said(player: &Player, how: Option<String>) -> Said {
    let state = player.state();
    let current = state.queue.current.as_ref();
    let tracks = current.into_iter().chain(state.queue.upcoming.iter());
    Said {
        guild: player.guild(),
        how,
        node: player.node().map(|node| node.name().to_owned()),
        title: current
            .map(|track| track.info.title.clone())
            .unwrap_or_default(),
        tracks: tracks.map(|track| track.info.identifier.clone()).collect(),
        filters: state.filters.active().to_vec(),
    }
}

/// All guilds begin to play, each in its own way.
async fn fill(bot: &Bot) -> Result<()> {
    let Some(node) = bot.client().nodes().first().cloned() else {
        return Err(Failure::problem("there is no node"));
    };
    let found = node.rest().load(music::ALL).await?.into_tracks();
    for guild in 0..GUILDS {
        let player = bot.get_player(guild).await?;
        player.connect(voice(1_000 + guild)).await?;
        let from = usize::try_from(guild * 4).unwrap_or(0) % found.len().max(1);
        let tracks: Vec<Track> = found[from..]
            .iter()
            .chain(&found[..from])
            .cloned()
            .collect();
        let Some(first) = tracks.first().cloned() else {
            return Err(Failure::problem("the node finds no track"));
        };
        player.edit(None, |state| {
            state.queue.add_many(tracks[1..].to_vec(), None)
        })?;
        player.play(first).await?;
        player
            .set_volume(u16::try_from(40 + guild * 13 % 80).unwrap_or(100))
            .await?;
        if guild % 5 == 2 {
            let mut filters = player.state().filters;
            filters.preset(if guild % 2 == 0 {
                "nightcore"
            } else {
                "vaporwave"
            })?;
            player.set_filters(filters).await?;
        }
        player.seek(5_000 + guild * 3_701 % 150_000).await?;
        if guild % 7 == 3 {
            player.pause(true).await?;
        }
    }
    Ok(bot.save(None).await?)
}
