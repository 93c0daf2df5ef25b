//! Which lists of which sessions must not lose items.

use dalsegno::guard::{GENERATIONS, GuardRule, MAX_AGE};
use dalsegno::{Error, ErrorKind, Result};
use jiff::SignedDuration;

use crate::sessions::Sessions;
use crate::values::GuardValues;

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
    pub lists: Vec<GuardRule>,
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
        let max_age = values.max_age.map_or(MAX_AGE, |age| age.0);
        if max_age.is_zero() {
            return wrong("max_age is no time at all");
        }
        let lists = lists(values)?;
        lists.iter().try_for_each(GuardRule::check)?;
        Ok(Self {
            sessions: Sessions::new(pattern)?,
            lists,
            generations: values.generations.unwrap_or(GENERATIONS),
            max_age,
        })
    }
}

/// One list is written in the table itself, several as `lists`.
fn lists(values: &GuardValues) -> Result<Vec<GuardRule>> {
    let one = GuardRule {
        list: values.list.clone().unwrap_or_default(),
        key: values.key.clone(),
        consumed: values.consumed,
        trimmed: values.trimmed,
        bound: values.bound,
    };
    match (&values.list, &values.lists) {
        (Some(_), None) => Ok(vec![one]),
        (None, Some(lists)) if one == GuardRule::new("") => Ok(lists.clone()),
        (None, None) => wrong("list is missing: name the list, or several with lists"),
        _ => wrong("what belongs to a list stands beside list, or within lists, not both"),
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
