//! One step: from a version of the schema to the next.

use std::any::Any;
use std::fmt;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;

use serde_json::Value;

use crate::document::split;
use crate::error::{Error, ErrorKind, Result};

type Cause = Box<dyn std::error::Error + Send + Sync>;
type Step = dyn Fn(&[u8]) -> Result<Vec<u8>, Cause> + Send + Sync;

/// The pattern that every session matches.
const EVERY: &str = "**";

/// A step from one version of a schema to the next, for all sessions or those of a pattern.
///
/// It is called with a state of the version that it starts from, and gives the state in the shape of the next. It may
/// be called for any state of those sessions, any number of times and by several threads at once, so it decides by
/// the state alone; it is not to use the engine.
///
/// What it fails with is the cause of an error of kind `InvalidInput`. Where it is not for the state's fault, it fails with
/// an [`Error`] of another kind, which is kept; a rehearsal ends with that.
#[derive(Clone)]
pub struct Migration {
    pub(super) from: Option<String>,
    pub(super) to: String,
    pub(super) sessions: String,
    step: Arc<Step>,
}

impl Migration {
    /// A step that changes the parsed state. It starts from the schema version `from`, or from snapshots that carry
    /// none.
    ///
    /// Names of members keep their order, and what the step does not touch keeps its value: texts, integers from -2⁶³
    /// to 2⁶⁴ - 1, and other numbers as 64-bit floats, whose spelling may change (`1e2` becomes `100.0`). Larger integers
    /// become floats too, white space goes, of members with one name the last stays, and states nested deeper than 127
    /// levels are refused: where that matters, [`of_text`](Migration::of_text) is given the state as it was saved.
    ///
    /// ```
    /// use dalsegno::Migration;
    ///
    /// let step = Migration::new(Some("1"), "2", |mut state| {
    ///     let tracks = state.get_mut("tracks").ok_or("there are no tracks")?.take();
    ///     state["queue"] = serde_json::json!({ "upcoming": tracks });
    ///     Ok::<_, String>(state)
    /// });
    /// # let _ = step;
    /// ```
    pub fn new<E: Into<Cause>>(
        from: Option<&str>,
        to: impl Into<String>,
        step: impl Fn(Value) -> Result<Value, E> + Send + Sync + 'static,
    ) -> Self {
        Self::of_text(from, to, move |text| {
            let state = serde_json::from_slice(text)?;
            let state = step(state).map_err(Into::into)?;
            Ok::<_, Cause>(serde_json::to_vec(&state)?)
        })
    }

    /// A step that changes the state's text: the bytes that were saved, or that the step before gave. What it gives
    /// has to be JSON.
    pub fn of_text<E: Into<Cause>>(
        from: Option<&str>,
        to: impl Into<String>,
        step: impl Fn(&[u8]) -> Result<Vec<u8>, E> + Send + Sync + 'static,
    ) -> Self {
        Self {
            from: from.map(str::to_owned),
            to: to.into(),
            sessions: EVERY.to_owned(),
            step: Arc::new(move |text| step(text).map_err(Into::into)),
        }
    }

    /// Only for the sessions whose names match `pattern`, as those of [`Policy`](crate::retention::Policy) are
    /// matched.
    #[must_use]
    pub fn sessions(mut self, pattern: impl Into<String>) -> Self {
        self.sessions = pattern.into();
        self
    }

    /// The state after this step.
    ///
    /// # Errors
    /// `InvalidInput` where it fails, unless it says another kind, where it panics, or gives what is no JSON; the message
    /// names the step.
    pub(super) fn run(&self, text: &[u8]) -> Result<Vec<u8>> {
        // What it left half done is its own: nothing of the engine's goes into it.
        let done = panic::catch_unwind(AssertUnwindSafe(|| (self.step)(text)));
        let after = match done {
            Ok(Ok(after)) => after,
            Ok(Err(cause)) => {
                let message = format!("the migration {self} failed: {cause}");
                let kind = cause.downcast_ref().map(Error::kind);
                let kind = kind.unwrap_or(ErrorKind::InvalidInput);
                return Err(Error::new(kind, message).with_source(cause));
            }
            Err(payload) => {
                let said = said(&*payload);
                return Err(Error::invalid(format!(
                    "the migration {self} panicked: {said}"
                )));
            }
        };
        let no_json = |e: Error| e.context(format!("the migration {self} gave what is no state"));
        split(&after, None).map_err(no_json)?;
        Ok(after)
    }
}

/// What a panic said.
fn said(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| payload.downcast_ref::<&str>().copied())
        .unwrap_or("without a word")
}

/// From which version to which.
impl fmt::Display for Migration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.from {
            Some(from) => write!(f, "from schema version {from} to {}", self.to),
            None => write!(f, "from no schema version to {}", self.to),
        }
    }
}

impl fmt::Debug for Migration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Migration")
            .field("from", &self.from)
            .field("to", &self.to)
            .field("sessions", &self.sessions)
            .finish_non_exhaustive()
    }
}
