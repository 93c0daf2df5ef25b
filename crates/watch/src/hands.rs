//! Which sessions others are at work on, because they asked for it: what was read of a file before is not saved on top of
//! what they did.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How often a session was changed by somebody who asked, and whether it is just now.
#[derive(Debug, Clone, Copy, Default)]
struct Turn {
    number: u64,
    busy: bool,
}

/// The sessions that were asked for.
#[derive(Debug, Default)]
pub(crate) struct Hands(Mutex<Turns>);

/// All of them, as they are while nobody begins.
#[derive(Debug, Default)]
pub(crate) struct Turns(HashMap<String, Turn>);

impl Hands {
    pub(crate) fn hold(&self) -> MutexGuard<'_, Turns> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody begins to change the session.
    pub(crate) fn begin(&self, session: &str) {
        let turns = &mut self.hold().0;
        turns.entry(session.to_owned()).or_default().busy = true;
    }

    /// It is changed, and so is its file.
    pub(crate) fn end(&self, session: &str) {
        if let Some(turn) = self.hold().0.get_mut(session) {
            turn.number += 1;
            turn.busy = false;
        }
    }
}

impl Turns {
    /// The number of the session's turn; nothing while somebody is at work on it.
    pub(crate) fn of(&self, session: &str) -> Option<u64> {
        let turn = self.0.get(session).copied().unwrap_or_default();
        (!turn.busy).then_some(turn.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_begins_and_ends_and_is_another_one_then() {
        let hands = Hands::default();
        let before = hands.hold().of("a");
        hands.begin("a");
        // One look at a time: whoever holds the turns keeps all others out.
        assert_eq!(hands.hold().of("a"), None);
        assert_eq!(hands.hold().of("b"), before);
        hands.end("a");
        assert_ne!(hands.hold().of("a"), before);
        assert!(hands.hold().of("a").is_some());
    }
}
