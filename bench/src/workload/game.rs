//! An AI game master's running game.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::random::Dice;
use super::time::{DAY_START_MS, iso};
use narrator::Narrator;

pub mod narrator;

/// The edit rates of [`GameDay`].
pub const RATES: &str = "a game of 120 turns, saved after each: every turn adds the player's \
action and the narration, half of the turns a ruling with its dice, a fifth a note of the \
archivist; the state of two agents changes in every turn, hit points, torches and clock of the \
party in most, the chapter and its place every 20 turns";

/// Turns of the game.
pub const TURNS: usize = 120;

/// A game session: Claudmaster's eight fields.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are Claudmaster's")]
pub struct GameState {
    pub session_id: String,
    pub campaign_id: String,
    pub config: GameConfig,
    pub started_at: String,
    pub turn_count: u32,
    pub conversation_history: Vec<Entry>,
    pub active_agents: BTreeMap<String, String>,
    pub metadata: Metadata,
}

/// How the game is run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "plain settings")]
pub struct GameConfig {
    pub narrator_model: String,
    pub arbiter_model: String,
    pub temperature: f64,
    pub improvisation: String,
    pub dice_rolls: String,
}

/// One entry of the conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are Claudmaster's")]
pub struct Entry {
    pub role: String,
    pub agent: Option<String>,
    pub turn: u32,
    pub content: String,
    pub timestamp: String,
}

/// What the game master keeps besides the conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "plain game data")]
pub struct Metadata {
    pub chapter: String,
    pub location: String,
    pub in_game_day: u32,
    pub clock: String,
    pub torches: u32,
    pub silver: i32,
    pub party: Vec<Member>,
    pub quests: BTreeMap<String, String>,
    pub flags: Vec<String>,
}

/// One of the party.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "plain game data")]
pub struct Member {
    pub name: String,
    pub class: String,
    pub level: u8,
    pub hit_points: u8,
    pub max_hit_points: u8,
    pub conditions: Vec<String>,
}

/// What a turn makes of a game.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the names are the state's")]
pub struct Played {
    pub turn_count: u32,
    /// Those that are added to the conversation.
    pub entries: Vec<Entry>,
    pub active_agents: BTreeMap<String, String>,
    pub metadata: Metadata,
}

/// How many flags a game without an end keeps.
const FLAGS: usize = 8;

/// The states of a game, one per turn.
#[derive(Debug)]
pub struct GameDay {
    dice: Dice,
    narrator: Narrator,
    state: GameState,
    turns: u32,
}

impl GameDay {
    /// A game of 120 turns.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self::with(seed, TURNS)
    }

    /// A game of `turns` turns.
    #[must_use]
    pub fn with(seed: u64, turns: usize) -> Self {
        let mut dice = Dice::new(seed, "game");
        let narrator = Narrator::new(Dice::new(seed, "game text"));
        let uuid = format!(
            "{}-{}-4{}-9{}-{}",
            dice.hex(8),
            dice.hex(4),
            dice.hex(3),
            dice.hex(3),
            dice.hex(12)
        );
        let agents = ["narrator", "archivist", "arbiter", "module_keeper"];
        let member = |name: &str, class: &str, hit_points| Member {
            name: name.to_owned(),
            class: class.to_owned(),
            level: 3,
            hit_points,
            max_hit_points: hit_points,
            conditions: Vec::new(),
        };
        let state = GameState {
            session_id: uuid,
            campaign_id: "the-drowned-bell".to_owned(),
            config: GameConfig {
                narrator_model: "open-large-3".to_owned(),
                arbiter_model: "open-small-3".to_owned(),
                temperature: 0.85,
                improvisation: "moderate".to_owned(),
                dice_rolls: "visible".to_owned(),
            },
            started_at: iso(DAY_START_MS, dice.between(0, 999)),
            turn_count: 0,
            conversation_history: Vec::new(),
            active_agents: agents.map(|a| (a.to_owned(), "idle".to_owned())).into(),
            metadata: Metadata {
                chapter: String::new(),
                location: String::new(),
                in_game_day: 1,
                clock: "06:30".to_owned(),
                torches: 40,
                silver: 65,
                party: vec![
                    member("Ysolde", "ranger", 27),
                    member("Corin", "wizard", 19),
                    member("Bram", "fighter", 34),
                ],
                quests: BTreeMap::new(),
                flags: Vec::new(),
            },
        };
        Self {
            dice,
            narrator,
            state,
            turns: u32::try_from(turns).unwrap_or(u32::MAX),
        }
    }

    /// A game that goes on for ever and has come to `entries` entries or a few more.
    #[must_use]
    pub fn of_length(seed: u64, entries: usize) -> Self {
        let mut game = Self::with(seed, usize::MAX);
        while game.state.conversation_history.len() < entries {
            game.play();
        }
        game
    }

    /// The game as it stands.
    #[must_use]
    pub fn state(&self) -> &GameState {
        &self.state
    }

    /// Plays a turn.
    pub fn play(&mut self) -> Played {
        let before = self.state.conversation_history.len();
        self.step();
        // A long game would note every place it ever came to.
        let flags = &mut self.state.metadata.flags;
        flags.drain(..flags.len().saturating_sub(FLAGS));
        let history = &self.state.conversation_history;
        Played {
            turn_count: self.state.turn_count,
            entries: history.get(before..).unwrap_or_default().to_vec(),
            active_agents: self.state.active_agents.clone(),
            metadata: self.state.metadata.clone(),
        }
    }

    fn say(&mut self, role: &str, agent: Option<&str>, content: String, second: u64) {
        let turn = self.state.turn_count;
        let at = DAY_START_MS + u64::from(turn) * 95_000 + second * 1000;
        let timestamp = iso(at + self.dice.between(0, 999), self.dice.between(0, 999));
        self.state.conversation_history.push(Entry {
            role: role.to_owned(),
            agent: agent.map(str::to_owned),
            turn,
            content,
            timestamp,
        });
    }

    fn step(&mut self) {
        self.state.turn_count += 1;
        let turn = self.state.turn_count;
        let chapter = self.narrator.begin_turn(turn);
        let action = self.narrator.speak("action");
        self.say("user", None, action, 0);
        let judged = self.dice.chance(0.5);
        if judged {
            let ruling = self.narrator.speak("ruling");
            self.say("system", Some("arbiter"), ruling, 4);
        }
        let narration = self.narrator.narrate();
        self.say("assistant", Some("narrator"), narration, 9);
        let noted = self.dice.chance(0.2);
        if noted {
            let note = self.narrator.note();
            self.say("system", Some("archivist"), note, 14);
        }
        let agents = &mut self.state.active_agents;
        for (name, worked) in [
            ("narrator", true),
            ("arbiter", judged),
            ("archivist", noted),
        ] {
            let status = if worked {
                format!("done:{turn}")
            } else {
                "idle".to_owned()
            };
            agents.insert(name.to_owned(), status);
        }
        self.party(turn, chapter);
    }

    /// Hit points, light and the hour of the day.
    fn party(&mut self, turn: u32, chapter: &narrator::Chapter) {
        let metadata = &mut self.state.metadata;
        if metadata.chapter != chapter.title {
            for state in metadata.quests.values_mut() {
                *state = "resolved".to_owned();
            }
            metadata
                .quests
                .insert(chapter.goal.to_owned(), format!("open since turn {turn}"));
            metadata.flags.push(format!("entered:{}", chapter.place));
            metadata.chapter = chapter.title.to_owned();
            metadata.location = chapter.place.to_owned();
        }
        let minutes = 390 + turn * 25;
        metadata.in_game_day = 1 + minutes / 1440;
        metadata.clock = format!("{:02}:{:02}", minutes / 60 % 24, minutes % 60);
        metadata.torches = 40 - (turn / 4).min(40);
        if self.dice.chance(0.3) {
            metadata.silver += self.dice.between(0, 40) as i32 - 18;
        }
        let member = self.dice.index(metadata.party.len());
        let member = &mut metadata.party[member];
        if self.dice.chance(0.6) {
            let hurt = self.dice.between(0, 9) as u8;
            member.hit_points = member.hit_points.saturating_sub(hurt).max(1);
        } else {
            member.hit_points = member.max_hit_points;
            member.conditions.clear();
        }
        if self.dice.chance(0.1) {
            let condition = self
                .dice
                .pick(&["frightened", "poisoned", "exhausted", "blessed"]);
            member.conditions = vec![condition.to_owned()];
        }
    }
}

impl Iterator for GameDay {
    type Item = GameState;

    fn next(&mut self) -> Option<GameState> {
        if self.state.turn_count == self.turns {
            return None;
        }
        self.step();
        Some(self.state.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Document;
    use super::super::checks::{fingerprint, parses_back};
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_game() {
        assert_eq!(fingerprint(GameDay::new(7)), fingerprint(GameDay::new(7)));
        assert_ne!(fingerprint(GameDay::new(7)), fingerprint(GameDay::new(8)));
    }

    #[test]
    fn states_parse_back_and_grow() {
        parses_back(GameDay::with(3, 40));
        let last = GameDay::new(3).last().expect("120 turns");
        assert_eq!(last.turn_count, 120);
        assert!((290..=380).contains(&last.conversation_history.len()));
        assert!((75_000..120_000).contains(&last.compact().len()));
        assert_eq!(last.metadata.quests.len(), 6);
        assert!(
            !last
                .conversation_history
                .iter()
                .any(|e| e.content.contains('{'))
        );
    }
}
