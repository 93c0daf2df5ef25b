//! Asking, and waiting for the answer.

use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

use super::deeds;
use super::request::Answer;
use super::turns::{Ended, Turns};
use super::wait::Patience;
use crate::attempt::TRIES;
use crate::document::MAX_SIZE;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::model::check_session_name;

/// The longest verb, in bytes.
const MAX_VERB: usize = 256;

/// The longest arguments, as JSON, in bytes.
const MAX_ARGUMENTS: usize = 1 << 20;

impl Engine {
    /// Prepares to ask the program that has `session` open for something, wherever it runs on this store: for
    /// `save`, `rollback`, `undo`, `redo`, `restore` or `guard_restore`, which every program that [attends](Engine::attend) carries
    /// out, or for something of its own. Where no program has the session open, one of the deeds below is done here.
    ///
    /// | verb | arguments |
    /// | --- | --- |
    /// | `save` | `name`, `label`, `description`, `tags`, `metadata`, `turn`, `schema_version`, `intent`, `pinned`, `kind` (`manual`, `auto`); the text goes with [`Ask::state`] |
    /// | `rollback` | `steps` (1), or `to`: a reference |
    /// | `undo`, `redo` | none |
    /// | `restore` | `from`: a reference; `components`: only these |
    /// | `guard_restore` | `from`: a reference, or nothing: as [`Engine::guard_restore`]; the answer has `returned` and `report` |
    ///
    /// ```
    /// use std::sync::{Arc, Mutex};
    /// use dalsegno::{Attendant, Engine, Reply, Request, Restored, Result};
    /// use serde_json::{Value, json};
    ///
    /// /// A player, whose state goes back with its session.
    /// struct Player(Arc<Mutex<Value>>);
    ///
    /// impl Attendant for Player {
    ///     fn asked(&mut self, request: &Request) -> Result<Reply> {
    ///         match request.verb.as_str() {
    ///             "volume" => Ok(Reply::Answer(self.0.lock().unwrap()["volume"].clone())),
    ///             _ => Ok(Reply::CarryOut),
    ///         }
    ///     }
    ///
    ///     fn load(&mut self, _: &Request, state: &Restored) -> Result<bool> {
    ///         *self.0.lock().unwrap() = state.to()?;
    ///         Ok(true)
    ///     }
    /// }
    ///
    /// # fn main() -> Result<()> {
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("store.db");
    /// let bot = Arc::new(Engine::create(&path)?);
    /// bot.open_session("bot/42")?;
    /// for volume in [75, 30] {
    ///     bot.save("bot/42", &json!({"volume": volume})).commit()?;
    /// }
    /// let state = Arc::new(Mutex::new(json!({"volume": 30})));
    /// let attending = bot.attend(Player(Arc::clone(&state)))?;
    ///
    /// // In another program:
    /// let other = Engine::open(&path)?;
    /// assert_eq!(other.ask("bot/42", "volume").send()?.value, 30);
    /// let answer = other.ask("bot/42", "rollback").arguments(json!({"steps": 1})).send()?;
    /// assert_eq!(answer.by.unwrap().pid, std::process::id());
    /// assert_eq!(answer.not_told, None);
    /// assert_eq!(*state.lock().unwrap(), json!({"volume": 75}));
    /// # attending.stop();
    /// # Ok(())
    /// # }
    /// ```
    pub fn ask(&self, session: &str, verb: &str) -> Ask<'_> {
        Ask {
            engine: self,
            session: session.to_owned(),
            verb: verb.to_owned(),
            arguments: Value::Null,
            state: None,
            timeout: Duration::from_secs(30),
            give_up: Box::new(|| false),
            step_back: Box::new(|| false),
        }
    }
}

/// A request in preparation: see [`Engine::ask`].
#[must_use = "nothing is asked before send()"]
pub struct Ask<'a> {
    engine: &'a Engine,
    session: String,
    verb: String,
    arguments: Value,
    state: Option<Bytes>,
    timeout: Duration,
    give_up: Box<dyn FnMut() -> bool + 'a>,
    step_back: Box<dyn FnMut() -> bool + 'a>,
}

impl<'a> Ask<'a> {
    /// With what: up to 1 MiB as JSON.
    pub fn arguments(mut self, arguments: Value) -> Self {
        self.arguments = arguments;
        self
    }

    /// A state that goes with it, as text, of up to 512 MiB. It is in the store, compressed, until the holder has
    /// read it.
    pub fn state(mut self, text: impl Into<Bytes>) -> Self {
        self.state = Some(text.into());
        self
    }

    /// How long to wait for the answer: 30 seconds unless said.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Asked again and again while it waits: once it answers true, nobody waits any longer, as after the timeout.
    pub fn give_up_when(mut self, give_up: impl FnMut() -> bool + 'a) -> Self {
        self.give_up = Box::new(give_up);
        self
    }

    /// Asked again and again while it waits: once it answers true, a request that was not taken is withdrawn, as
    /// after the timeout; one that was taken is waited for. For programs that have to let go of the engine for a
    /// moment, and ask anew.
    pub fn step_back_when(mut self, step_back: impl FnMut() -> bool + 'a) -> Self {
        self.step_back = Box::new(step_back);
        self
    }

    /// Asks, and waits for the answer. What is asked for is done once or not at all: should the holder end in the
    /// middle of one of these deeds, it is found out whether it was done, and it is done here where it was not.
    ///
    /// # Errors
    /// - What the holder answers: an error of the kind that it met.
    /// - `Locked` where it answers no requests, or did not take this one in time: nothing was changed.
    /// - `Conflict` where it took it and did not answer in time, or ended in the middle of a verb of its own: whether
    ///   it was done, the history shows.
    /// - `NotFound` where nobody has the session open who could answer a verb of its own.
    /// - `InvalidInput` for arguments that cannot be, or are too long; `Denied` where the store is read-only.
    pub fn send(self) -> Result<Answer> {
        self.check()?;
        self.engine
            .allow(deeds::action(&self.verb), Some(&self.session))?;
        let patience =
            Patience::new(self.engine, self.timeout, self.give_up).stepping_back(self.step_back);
        let mut turns = Turns {
            engine: self.engine,
            session: self.session,
            verb: self.verb,
            arguments: self.arguments,
            state: self.state,
            patience,
        };
        for _ in 0..TRIES {
            match turns.turn()? {
                Ended::Answered(answer) => return Ok(answer),
                Ended::Refused(error) => return Err(error),
                Ended::Again => {}
            }
        }
        Err(Error::conflict(format!(
            "programs opened and closed {} {TRIES} times in between; nothing was changed, try again",
            turns.session
        )))
    }

    fn check(&self) -> Result<()> {
        check_session_name(&self.session)?;
        if self.verb.is_empty() || self.verb.len() > MAX_VERB {
            return Err(Error::invalid(format!(
                "a verb has between 1 and {MAX_VERB} bytes"
            )));
        }
        let len = self.arguments.to_string().len();
        if len > MAX_ARGUMENTS {
            return Err(Error::invalid(format!(
                "the arguments have {len} bytes as JSON; the limit is {MAX_ARGUMENTS}: a state goes beside them"
            )));
        }
        let len = self.state.as_ref().map_or(0, Bytes::len);
        if len > MAX_SIZE {
            return Err(Error::invalid(format!(
                "the state has {len} bytes; the limit is {MAX_SIZE}"
            )));
        }
        deeds::check(&self.verb, &self.arguments, self.state.as_ref())
    }
}
