//! What the people of a guild hear, before and after; asked of the node, which knows it whatever the bot says.

use dalsegno_scripted::{Node, PlayerView, Sound};
use serde::Serialize;

use super::process::Told;
use crate::failure::{Failure, Result};
use crate::verb::demo::check;

/// A guild through the demo.
#[derive(Debug, Serialize)]
pub(super) struct Guild {
    guild: u64,
    /// When the bot was killed.
    before: Playing,
    /// What was heard while the bot was killed and came back: nothing may be.
    heard_of_the_bot: usize,
    /// When the bot and the node were killed.
    cut: Option<Playing>,
    /// On the other node.
    after: Option<Playing>,
    /// How far it went back, in milliseconds.
    back_ms: u64,
    #[serde(skip)]
    tracks: Vec<String>,
    #[serde(skip)]
    heard: usize,
    #[serde(skip)]
    there: PlayerView,
}

/// What plays.
#[derive(Debug, Clone, Serialize)]
struct Playing {
    node: Option<String>,
    how: Option<String>,
    identifier: Option<String>,
    title: String,
    position_ms: u64,
    volume: u32,
    paused: bool,
    filters: Vec<String>,
    upcoming: usize,
}

pub(super) const HEADS: [&str; 10] = [
    ">GUILD",
    "PLAYED",
    ">AT",
    ">UPCOMING",
    "VOLUME, FILTERS",
    "THEN, WITHOUT THE BOT",
    "THEN, WITHOUT BOTH",
    ">AT",
    ">UPCOMING",
    "VOLUME, FILTERS",
];

impl Guild {
    pub(super) fn listening(guild: u64, node: &Node, told: &Told) -> Result<Self> {
        let there = player(node, guild)?;
        Ok(Self {
            guild,
            before: playing(guild, &there, told)?,
            heard_of_the_bot: 0,
            cut: None,
            after: None,
            back_ms: 0,
            tracks: said(guild, told)?.tracks.clone(),
            heard: node.heard(guild).len(),
            there,
        })
    }

    /// The bot is there again: nothing was heard of that.
    pub(super) fn kept(&mut self, node: &Node, told: &Told) -> Result<()> {
        let said = said(self.guild, told)?;
        self.heard_of_the_bot = node.heard(self.guild).len() - self.heard;
        check(
            said.how.as_deref() == Some("kept"),
            "every guild is found as it is",
        )?;
        check(
            self.heard_of_the_bot == 0,
            "nothing is heard of a bot that is killed",
        )?;
        check(
            said.tracks == self.tracks,
            "the bot has every queue again, whole and in order",
        )?;
        self.same(&player(node, self.guild)?)
    }

    /// Both are killed at this moment.
    pub(super) fn cut(&mut self, node: &Node) -> Result<()> {
        let there = player(node, self.guild)?;
        self.same(&there)?;
        self.cut = Some(Playing {
            position_ms: there.position,
            ..self.before.clone()
        });
        self.there = there;
        Ok(())
    }

    /// It plays on the other node. Answers how far it went back, in milliseconds.
    pub(super) fn put_back(&mut self, node: &Node, told: &Told) -> Result<u64> {
        let there = player(node, self.guild)?;
        let said = said(self.guild, told)?;
        check(
            said.how.as_deref() == Some("put_back"),
            "every guild is put back",
        )?;
        check(
            said.tracks == self.tracks,
            "the bot has every queue again, whole and in order",
        )?;
        self.same(&there)?;
        let starts: Vec<u64> = node
            .heard(self.guild)
            .into_iter()
            .filter_map(|heard| match heard.sound {
                Sound::Started { position, .. } => Some(position),
                _ => None,
            })
            .collect();
        let [from] = starts[..] else {
            return Err(Failure::problem(format!(
                "guild {} heard {starts:?} begin",
                self.guild
            )));
        };
        check(from <= self.there.position, "nothing is left out")?;
        self.back_ms = self.there.position - from;
        let after = playing(self.guild, &there, told)?;
        self.after = Some(Playing {
            position_ms: from,
            ..after
        });
        Ok(self.back_ms)
    }

    /// The track, volume, filters and pause are what they were.
    fn same(&self, now: &PlayerView) -> Result<()> {
        check(
            now.identifier == self.there.identifier,
            "every guild has its track",
        )?;
        check(
            now.volume == self.there.volume,
            "every guild is as loud as it was",
        )?;
        check(
            now.paused == self.there.paused,
            "who paused has a pause, and nobody else",
        )?;
        check(
            now.filters == self.there.filters,
            "every guild has its filters",
        )?;
        check(now.connected, "every guild is connected")
    }

    pub(super) fn row(&self) -> Vec<String> {
        let (cut, after) = (self.cut.as_ref(), self.after.as_ref());
        let (cut, after) = (cut.unwrap_or(&self.before), after.unwrap_or(&self.before));
        vec![
            self.guild.to_string(),
            cut.title.clone(),
            clock(cut.position_ms),
            cut.upcoming.to_string(),
            cut.sound(),
            "nothing was heard".to_owned(),
            after.title.clone(),
            clock(after.position_ms),
            after.upcoming.to_string(),
            after.sound(),
        ]
    }
}

impl Playing {
    fn sound(&self) -> String {
        let volume = format!("{} %", self.volume);
        let paused = self.paused.then(|| "paused".to_owned());
        let words = [volume]
            .into_iter()
            .chain(self.filters.clone())
            .chain(paused);
        words.collect::<Vec<_>>().join(", ")
    }
}

fn player(node: &Node, guild: u64) -> Result<PlayerView> {
    node.player(guild)
        .ok_or_else(|| Failure::problem(format!("guild {guild} has no player on the node")))
}

fn said(guild: u64, told: &Told) -> Result<&super::bot::Said> {
    told.get(&guild)
        .ok_or_else(|| Failure::problem(format!("the bot knows nothing of guild {guild}")))
}

fn playing(guild: u64, there: &PlayerView, told: &Told) -> Result<Playing> {
    let said = said(guild, told)?;
    Ok(Playing {
        node: said.node.clone(),
        how: said.how.clone(),
        identifier: there.identifier.clone(),
        title: said.title.clone(),
        position_ms: there.position,
        volume: there.volume,
        paused: there.paused,
        filters: said.filters.clone(),
        upcoming: said.tracks.len().saturating_sub(1),
    })
}

fn clock(position: u64) -> String {
    let seconds = position / 1_000;
    format!(
        "{}:{:02}.{}",
        seconds / 60,
        seconds % 60,
        position % 1_000 / 100
    )
}
