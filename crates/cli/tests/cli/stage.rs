//! `sonoractl`, and a bot that runs in this process and plays on a scripted node.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use dalsegno::Options;
use dalsegno_scripted as scripted;
use dalsegno_sonora::lavalink::{Address, Password, VoiceServer};
use dalsegno_sonora::{Bot, Hold, Keeping, Part, Voice, Waiting};
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::common::{House, Ran};

pub(crate) fn ctl(house: &House, arguments: &[&str]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sonoractl"));
    command.args(arguments).stdin(Stdio::null());
    house.settle(&mut command);
    Ran::of(command.output().unwrap())
}

/// It ended with `code`, and says `part`.
#[track_caller]
pub(crate) fn refused(ran: &Ran, code: i32, part: &str) {
    assert_eq!(ran.code, Some(code), "{ran}");
    assert!(ran.err.starts_with("sonoractl: "), "{ran}");
    assert!(ran.err.contains(part), "should say '{part}': {ran}");
}

/// Any channel can be joined.
struct Channels;

impl Voice for Channels {
    fn join(&self, _: u64, channel: u64) -> Waiting<'_, dalsegno::Result<VoiceServer>> {
        let voice = VoiceServer::new(channel, "voice session", "token", "127.0.0.1:1");
        Box::pin(async move { Ok(voice) })
    }
}

/// A node, and a bot that plays on it.
pub(crate) struct Stage {
    pub(crate) house: House,
    pub(crate) node: scripted::Node,
    pub(crate) runtime: Runtime,
    pub(crate) bot: Option<Bot>,
}

impl Stage {
    pub(crate) fn empty() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = { runtime }.worker_threads(2).enable_all().build().unwrap();
        Self {
            house: House::new(),
            node: scripted::Node::start(scripted::Options::default()).unwrap(),
            runtime,
            bot: None,
        }
    }

    /// With these guilds, each with a track at 0:45 and three after it.
    pub(crate) fn playing(guilds: &[u64]) -> Self {
        let mut stage = Self::empty();
        stage.start();
        for guild in guilds {
            stage.play(*guild);
        }
        stage.save();
        stage
    }

    pub(crate) fn start(&mut self) {
        let bot = self.another(&self.node, "the bot", None);
        self.bot = Some(bot);
    }

    /// Another bot, on its own node, with an engine of its own.
    pub(crate) fn another(&self, node: &scripted::Node, program: &str, name: Option<&str>) -> Bot {
        let engine = Options::default().program(program).open(self.house.store());
        let password = Password::new(node.password());
        let address = Address::new("127.0.0.1", node.port(), password);
        let hold = Hold {
            settle: Duration::from_millis(20),
            ..Hold::default()
        };
        let options = dalsegno_sonora::Options::new(42)
            .node("main", address)
            .hold(hold);
        let options = options.voice(Arc::new(Channels));
        let keeping = Keeping {
            name: name.map(str::to_owned),
            ..Keeping::default()
        };
        let start = Bot::start(Arc::new(engine.unwrap()), options, keeping);
        self.runtime.block_on(start).unwrap().0
    }

    pub(crate) fn stop(&mut self) {
        let bot = self.bot.take().unwrap();
        self.runtime.block_on(bot.stop()).unwrap();
    }

    pub(crate) fn bot(&self) -> &Bot {
        self.bot.as_ref().unwrap()
    }

    pub(crate) fn save(&self) {
        self.runtime.block_on(self.bot().save(None)).unwrap();
    }

    pub(crate) fn play(&self, guild: u64) {
        self.runtime.block_on(async {
            let player = self.bot().get_player(guild).await.unwrap();
            let voice = VoiceServer::new(5, "voice session", "token", "127.0.0.1:1");
            player.connect(voice).await.unwrap();
            let rest = self.bot().client().nodes()[0].rest().clone();
            let mut tracks = Vec::new();
            for number in 0..4 {
                let found = rest.load(&format!("track-{number}")).await.unwrap();
                tracks.extend(found.into_tracks());
            }
            let later = tracks.split_off(1);
            player.play(tracks.remove(0)).await.unwrap();
            player
                .edit(None, |state| state.queue.add_many(later, None))
                .unwrap();
            player.seek(45_000).await.unwrap();
        });
    }

    /// Nothing plays any more, and nothing will.
    pub(crate) fn silence(&self, guild: u64) {
        self.runtime.block_on(async {
            let player = self.bot().client().player(guild).unwrap();
            let clear = |state: &mut dalsegno_sonora::State| {
                state.queue.clear(Part::Upcoming);
                Ok(())
            };
            player.edit(Some("clear"), clear).unwrap();
            player.skip().await.unwrap();
        });
        self.save();
    }

    pub(crate) fn ctl(&self, arguments: &[&str]) -> Ran {
        ctl(&self.house, arguments)
    }

    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let ran = self.ctl(&[arguments, &["--json"]].concat());
        assert_eq!(ran.code, Some(0), "{ran}");
        ran.json()
    }

    pub(crate) fn plays(&self, guild: u64) -> Option<String> {
        self.node.player(guild).and_then(|it| it.identifier)
    }
}
