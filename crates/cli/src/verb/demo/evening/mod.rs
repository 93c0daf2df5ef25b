//! An evening in the life of three sessions, one step every two minutes.
//!
//! It is the same every time, so any state can be told again and compared with what was kept.

mod chat;
mod game;
mod guild;
mod text;

use serde::Serialize;
use serde_json::Value;

use crate::failure::{Failure, Result};
pub(super) use guild::Playing;

/// How much time passes in a step.
pub(super) const STEP_MS: u64 = 120_000;

/// Four hours.
pub(super) const STEPS: u32 = 120;

/// Whose session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Who {
    Guild,
    Game,
    Chat,
}

impl Who {
    pub(super) const ALL: [Self; 3] = [Self::Guild, Self::Game, Self::Chat];

    /// The session's name in the store.
    pub(super) fn session(self) -> &'static str {
        match self {
            Self::Guild => "bot/jazz-club",
            Self::Game => "game/drowned-bell",
            Self::Chat => "chat/garden",
        }
    }

    /// The session as the evening begins.
    pub(super) fn file(self) -> &'static [u8] {
        match self {
            Self::Guild => include_bytes!("../../../../../../examples/sessions/player.json"),
            Self::Game => include_bytes!("../../../../../../examples/sessions/game.json"),
            Self::Chat => include_bytes!("../../../../../../examples/sessions/chat.json"),
        }
    }

    fn of(self) -> usize {
        match self {
            Self::Guild => 0,
            Self::Game => 1,
            Self::Chat => 2,
        }
    }
}

/// The three sessions at one moment.
pub(super) struct Evening {
    step: u32,
    states: [Value; 3],
}

impl Evening {
    /// As the evening begins.
    pub(super) fn begin() -> Result<Self> {
        let read = |who: Who| {
            serde_json::from_slice(who.file()).map_err(|e| {
                Failure::usage(format!("the example of {} is no JSON: {e}", who.session()))
            })
        };
        Ok(Self {
            step: 0,
            states: [read(Who::Guild)?, read(Who::Game)?, read(Who::Chat)?],
        })
    }

    /// As it is after `step` steps.
    pub(super) fn after(step: u32) -> Result<Self> {
        let mut evening = Self::begin()?;
        for _ in 0..step {
            evening.step()?;
        }
        Ok(evening)
    }

    /// How many steps there were.
    pub(super) fn steps(&self) -> u32 {
        self.step
    }

    /// Lets two minutes pass.
    pub(super) fn step(&mut self) -> Result<()> {
        self.step += 1;
        let step = self.step;
        let [player, game, messages] = &mut self.states;
        let mut done = guild::step(player, step);
        if step.is_multiple_of(3) {
            done = done.and(game::step(game));
        }
        if step.is_multiple_of(2) {
            done = done.and(chat::step(messages, step));
        }
        done.ok_or_else(|| Failure::usage("an example session has another shape than expected"))
    }

    /// Whose state is another than a step ago.
    pub(super) fn changed(&self) -> impl Iterator<Item = Who> + use<> {
        let step = self.step;
        Who::ALL.into_iter().filter(move |who| match who {
            Who::Guild => true,
            Who::Game => step.is_multiple_of(3),
            Who::Chat => step.is_multiple_of(2),
        })
    }

    /// The state as a program would write it: in the layout of its file.
    pub(super) fn text(&self, who: Who) -> Vec<u8> {
        let Some(state) = self.states.get(who.of()).filter(|_| self.step > 0) else {
            return who.file().to_vec();
        };
        text::write(state, who.file())
    }

    /// What the guild hears now.
    pub(super) fn playing(&self) -> Playing {
        let [player, ..] = &self.states;
        Playing::of(player)
    }

    /// The player after somebody typed `!clear`.
    pub(super) fn cleared(&self) -> Vec<u8> {
        let [player, ..] = &self.states;
        let mut player = player.clone();
        if let Some(upcoming) = player.pointer_mut("/queue/upcoming") {
            *upcoming = Value::Array(Vec::new());
        }
        text::write(&player, Who::Guild.file())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_evening_is_told_the_same_twice() {
        let (mut one, mut other) = (Evening::begin().unwrap(), Evening::begin().unwrap());
        for who in Who::ALL {
            assert_eq!(one.text(who), who.file());
        }
        for _ in 0..STEPS {
            one.step().unwrap();
            other.step().unwrap();
            assert!(
                Who::ALL
                    .iter()
                    .all(|who| one.text(*who) == other.text(*who))
            );
        }
        assert_eq!(
            Evening::after(STEPS).unwrap().text(Who::Game),
            one.text(Who::Game)
        );
        assert_eq!(one.playing().upcoming, 200);
    }

    #[test]
    fn only_the_changed_change() {
        let mut evening = Evening::begin().unwrap();
        for _ in 0..12 {
            let before = Who::ALL.map(|who| text::write(&evening.states[who.of()], who.file()));
            evening.step().unwrap();
            let changed: Vec<_> = evening.changed().collect();
            for who in Who::ALL {
                assert_eq!(
                    before[who.of()] != evening.text(who),
                    changed.contains(&who),
                    "{who:?}"
                );
            }
        }
    }
}
