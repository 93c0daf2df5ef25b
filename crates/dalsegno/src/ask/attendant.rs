//! What a program does about requests, and about handing its sessions over.

use serde_json::Value;

use super::look::Looking;
use super::request::{Peer, Request};
use crate::autosave::State;
use crate::error::{Error, Result};
use crate::restore::Restored;

/// What a program does about requests: see [`Engine::attend`](crate::Engine::attend). Its methods are called in a thread of their own, one
/// at a time; while one runs, saves go on, but for auto-saves of the session that is being changed. `()` is a program
/// that leaves everything to the engine.
pub trait Attendant: Send {
    /// Somebody asks for something. The deeds of the engine (`save`, `rollback`, `undo`, `redo`, `restore`, `guard_restore`) are
    /// for it to carry out; a program may refuse them, or answer itself, and answers its own verbs.
    ///
    /// A program that changes its state in other threads stops that here, for these deeds, until
    /// [`load`](Attendant::load) or [`failed`](Attendant::failed). What it has not saved yet it may save here,
    /// as [`Kind::Safety`](crate::Kind::Safety) so that steps back are not counted from there; before a
    /// `guard_restore` as any other save, so that it is part of what is merged.
    ///
    /// # Errors
    /// Whatever the program says: nothing is done, and whoever asks gets this error.
    fn asked(&mut self, request: &Request) -> Result<Reply> {
        let _ = request;
        Ok(Reply::CarryOut)
    }

    /// It was carried out, and this is the session's newest state, which the program goes on with from now on.
    /// False where it does not: then whoever asks is told that the running program was not told, and its next save
    /// goes on top.
    ///
    /// # Errors
    /// Why it cannot go on with that state. It is the newest stored one all the same; whoever asks is told both.
    fn load(&mut self, request: &Request, state: &Restored) -> Result<bool> {
        let _ = (request, state);
        Ok(false)
    }

    /// It could not be carried out, and nothing is to be loaded: the program goes on as it was.
    fn failed(&mut self, request: &Request, error: &Error) {
        let _ = (request, error);
    }

    /// What answers requests that only look, also while one of these methods runs: it is asked for once, in the
    /// beginning, and called in a thread of its own. It answers at once, and leaves every other request to
    /// [`asked`](Attendant::asked), which may be called for these as well. None, unless a program says otherwise.
    fn looking(&mut self) -> Option<Looking> {
        None
    }

    /// Another program wants to go on with a session: see [`Engine::take_handover`](crate::Engine::take_handover). From here on the program
    /// changes nothing of it any more, and gives its last state; nothing where that is saved already. It is saved,
    /// and the session is handed over. Then comes [`handed_over`](Attendant::handed_over), or
    /// [`unfreeze`](Attendant::unfreeze).
    ///
    /// # Errors
    /// Whatever the program says: it goes on as before. Unless a program says otherwise, it hands nothing over.
    fn freeze(&mut self, session: &str, to: &Peer) -> Result<Option<State>> {
        let _ = to;
        Err(Error::invalid(format!(
            "this program does not hand {session} over"
        )))
    }

    /// The session is open here, as before: the other one gave it back, or ended, or took too long.
    fn unfreeze(&mut self, session: &str, why: &str) {
        let _ = (session, why);
    }

    /// The other one keeps the session. Nothing of it is saved here any more.
    fn handed_over(&mut self, session: &str, to: &Peer) {
        let _ = (session, to);
    }
}

impl Attendant for () {}

/// What a program does about a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// The engine carries it out, if it is one of its deeds. Any other verb is refused as unknown.
    CarryOut,
    /// It is done, and this is the answer: up to 16 MiB as JSON.
    Answer(Value),
}
