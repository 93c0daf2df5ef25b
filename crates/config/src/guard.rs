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
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GuardedList {
    /// The list: the names that lead to it, with points between, such as `queue.upcoming`; `.` where the
    /// state is the list.
    pub list: String,
    /// The member that tells items apart; none: they are compared whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The end at which items are taken away as they are used; that is no loss.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consumed: Option<End>,
    /// The end at which the list is kept short; that is no loss.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trimmed: Option<End>,
    /// How many items it has when it is full; below that, it is not being kept short.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound: Option<u32>,
}

/// The lists of some sessions that must not lose items.
///
/// As JSON: `{"pattern": "bot/*", "lists": [{"list": "messages"}], "generations": 5, "max_age": "30 days"}`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Guard {
    /// Of which sessions.
    #[serde(rename = "pattern")]
    pub sessions: Sessions,
    /// The lists; none: nothing is guarded, whatever a wider pattern says.
    pub lists: Vec<GuardedList>,
    /// How many generations are kept.
    pub generations: u32,
    /// How long each is kept.
    #[serde(serialize_with = "as_people_read_it")]
    pub max_age: SignedDuration,
}

impl Guard {
    pub(crate) fn new(pattern: &str, values: &GuardValues) -> Result<Self> {
        if values.generations == Some(0) {
            return wrong("generations is at least 1; write lists = [] to guard nothing");
        }
        let max_age = values.max_age.map_or(GUARD_MAX_AGE, |age| age.0);
        if max_age.is_zero() {
            return wrong("max_age is no time at all");
        }
        let lists = lists(values)?;
        lists.iter().try_for_each(GuardedList::check)?;
        Ok(Self {
            sessions: Sessions::new(pattern)?,
            lists,
            generations: values.generations.unwrap_or(GUARD_GENERATIONS),
            max_age,
        })
    }
}

/// One list is written in the table itself, several as `lists`.
fn lists(values: &GuardValues) -> Result<Vec<GuardedList>> {
    let one = GuardedList {
        list: values.list.clone().unwrap_or_default(),
        key: values.key.clone(),
        consumed: values.consumed,
        trimmed: values.trimmed,
        bound: values.bound,
    };
    match (&values.list, &values.lists) {
        (Some(_), None) => Ok(vec![one]),
        (None, Some(lists)) if one == GuardedList::default() => Ok(lists.clone()),
        (None, None) => wrong("list is missing: name the list, or several with lists"),
        _ => wrong("what belongs to a list stands beside list, or within lists, not both"),
    }
}

impl GuardedList {
    fn check(&self) -> Result<()> {
        // Names in brackets may have any characters; the engine knows how they are written.
        let plain = self.list != "." && !self.list.contains('[');
        if plain && self.list.split('.').any(str::is_empty) {
            return wrong("list names members with points between, such as 'queue.upcoming'");
        }
        if self.key.as_deref() == Some("") {
            return wrong(
                "key is the name of a member, such as 'id'; without it, items are compared whole",
            );
        }
        match (self.bound, self.trimmed) {
            (Some(0), _) => wrong("bound is at least 1"),
            (Some(_), None) => {
                wrong("bound needs trimmed: front where new items are appended, else back")
            }
            _ => Ok(()),
        }
    }
}

fn wrong<T>(message: &str) -> Result<T> {
    Err(Error::new(ErrorKind::InvalidInput, message))
}

fn as_people_read_it<S: serde::Serializer>(
    duration: &SignedDuration,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&dalsegno::display_duration(*duration))
}
