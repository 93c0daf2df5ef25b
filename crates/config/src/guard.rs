//! Which lists of which sessions must not lose items.

use dalsegno::{Error, ErrorKind, Result};
use jiff::SignedDuration;

use crate::sessions::Sessions;
use crate::values::GuardValues;

/// So many guard generations are kept of a session, where nothing else is said.
pub const GUARD_GENERATIONS: u32 = 5;

/// So long a guard generation is kept, where nothing else is said.
pub const GUARD_MAX_AGE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// An end of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase", try_from = "String")]
pub enum End {
    /// Where the first item stands.
    Front,
    /// Where the last item stands.
    Back,
}

impl TryFrom<String> for End {
    type Error = String;

    fn try_from(word: String) -> Result<Self, String> {
        match word.as_str() {
            "front" => Ok(Self::Front),
            "back" => Ok(Self::Back),
            _ => Err(format!(
                "'{}' is no end of a list: write front or back",
                word.escape_debug()
            )),
        }
    }
}

/// A list that must not lose items unless somebody says so.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Guard {
    /// Of which sessions.
    pub sessions: Sessions,
    /// The list: the names that lead to it, with points between, such as `queue.upcoming`.
    pub list: String,
    /// The member that tells items apart; none: their bytes.
    pub key: Option<String>,
    /// The end at which items are taken away as they are used; that is no loss.
    pub consumed: Option<End>,
    /// The end at which the list is kept short; that is no loss.
    pub trimmed: Option<End>,
    /// How many generations are kept.
    pub generations: u32,
    /// How long each is kept.
    #[serde(serialize_with = "as_people_read_it")]
    pub max_age: SignedDuration,
}

impl Guard {
    pub(crate) fn new(pattern: &str, values: &GuardValues) -> Result<Self> {
        let wrong = |message: &str| Err(Error::new(ErrorKind::InvalidInput, message));
        if values.list.split('.').any(str::is_empty) {
            return wrong("list names members with points between, such as 'queue.upcoming'");
        }
        if values.key.as_deref() == Some("") {
            return wrong(
                "key is the name of a member, such as 'id'; leave it away to compare whole items",
            );
        }
        if values.generations == Some(0) {
            return wrong("generations is at least 1; leave the table away to guard nothing");
        }
        let max_age = values.max_age.map_or(GUARD_MAX_AGE, |age| age.0);
        if max_age.is_zero() {
            return wrong("max_age is no time at all");
        }
        Ok(Self {
            sessions: Sessions::new(pattern)?,
            list: values.list.clone(),
            key: values.key.clone(),
            consumed: values.consumed,
            trimmed: values.trimmed,
            generations: values.generations.unwrap_or(GUARD_GENERATIONS),
            max_age,
        })
    }
}

fn as_people_read_it<S: serde::Serializer>(
    duration: &SignedDuration,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&dalsegno::display_duration(*duration))
}
