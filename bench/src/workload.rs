//! Seeded, deterministic workloads in the shapes of the three systems.
//!
//! | file | what it plays |
//! | --- | --- |
//! | [`queue`] | a guild's player with 200 tracks, a day of auto-saves |
//! | [`chat`] | a chat that grows by exchanges |
//! | [`game`] | a game of 120 turns |
//! | [`quiet`] | a session in which (nearly) nothing happens |
//! | [`tick`] | 10,000 small players, saved in one tick every five minutes |
//! | [`shared`] | the queue and the chat with lists that share structure |
//!
//! Every workload states its edit rates in a constant `RATES`, which the reports print: a ratio of
//! sizes means nothing without them. The same seed gives the same bytes on every machine.

use serde::Serialize;
use serde::de::DeserializeOwned;

pub mod chat;
pub mod game;
pub mod grammar;
pub mod inflect;
pub mod player;
pub mod queue;
pub mod quiet;
pub mod random;
pub mod shared;
pub mod tick;
pub mod time;
pub mod track;
pub mod voice;

/// Auto-saves of a day, one every five minutes.
pub const SAVES_PER_DAY: usize = 288;

/// How a document is laid out as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// No white space.
    Compact,
    /// Indented by two, as Python's `json.dumps(indent=2)` writes it.
    Indented,
}

impl Layout {
    /// Both layouts, in the order of the reports.
    pub const ALL: [Self; 2] = [Self::Compact, Self::Indented];

    /// The word for it in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Compact => "compact",
            Self::Indented => "indented",
        }
    }
}

/// A typed document of a workload and its text.
pub trait Document: Serialize + DeserializeOwned + Clone + PartialEq {
    /// The text without white space.
    fn compact(&self) -> Vec<u8> {
        self.text(Layout::Compact)
    }

    /// The text indented by two.
    fn indented(&self) -> Vec<u8> {
        self.text(Layout::Indented)
    }

    /// The text in the given layout.
    #[expect(
        clippy::expect_used,
        reason = "plain structs with text keys always serialise into memory"
    )]
    fn text(&self, layout: Layout) -> Vec<u8> {
        match layout {
            Layout::Compact => serde_json::to_vec(self),
            Layout::Indented => serde_json::to_vec_pretty(self),
        }
        .expect("a workload's document serialises")
    }
}

impl<T: Serialize + DeserializeOwned + Clone + PartialEq> Document for T {}

#[cfg(test)]
pub(crate) mod checks {
    //! What is asked of every generator.

    use super::{Document, Layout};

    /// Every state comes back from its own text, in both layouts.
    pub(crate) fn parses_back<T: Document + std::fmt::Debug>(states: impl Iterator<Item = T>) {
        for state in states {
            for layout in Layout::ALL {
                let text = state.text(layout);
                let back: T = serde_json::from_slice(&text).expect("parses");
                assert_eq!(back, state);
                assert_eq!(back.text(layout), text);
            }
        }
    }

    /// One hash over the texts of all states, to compare two runs with.
    pub(crate) fn fingerprint<T: Document>(states: impl Iterator<Item = T>) -> String {
        let mut hasher = blake3::Hasher::new();
        for state in states {
            hasher.update(&state.compact());
        }
        hasher.finalize().to_hex()[..16].to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::checks::fingerprint;
    use super::*;

    /// Published figures rest on these workloads: when one changes, they must be measured anew.
    #[test]
    fn the_workloads_are_the_committed_ones() {
        let found = [
            ("queue", fingerprint(queue::QueueDay::new(1))),
            ("chat", fingerprint(chat::ChatDay::with(1, 4, 200, 48))),
            ("game", fingerprint(game::GameDay::new(1))),
            ("quiet", fingerprint(quiet::QuietDay::one_scalar(1))),
            (
                "tick",
                fingerprint(tick::TickSessions::new(1, 100).states(1)),
            ),
        ];
        let committed = [
            ("queue", "e07ad401ae9930a2"),
            ("chat", "a5ff6c4b7610672c"),
            ("game", "33b5e598017ab0e7"),
            ("quiet", "3dd19905f8bf8ced"),
            ("tick", "8181b6335ba90209"),
        ];
        let committed = committed.map(|(name, hash)| (name, hash.to_owned()));
        assert_eq!(found, committed);
    }
}
