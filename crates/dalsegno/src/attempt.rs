//! Changes that are made again where other programs were first.

use crate::error::{Error, Result};

/// How often.
pub(crate) const TRIES: usize = 16;

/// Tries until there is an answer: `attempt` gives none where what it had read was changed in between.
///
/// # Errors
/// What `attempt` answers; `Conflict` where others were first each time, of which `what` says what they
/// changed.
pub(crate) fn until_done<T>(
    what: &str,
    mut attempt: impl FnMut() -> Result<Option<T>>,
) -> Result<T> {
    for _ in 0..TRIES {
        if let Some(answer) = attempt()? {
            return Ok(answer);
        }
    }
    Err(Error::conflict(format!(
        "other programs changed {what} {TRIES} times in between; try again"
    )))
}
