//! What is guarded: lists of a session, and what leaves them by nature.

use std::collections::HashSet;

use jiff::SignedDuration;

use super::path;
use crate::duration;
use crate::error::{Error, Result};
use crate::pattern;

/// One end of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case", try_from = "String")]
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

/// A list of a session that loses no items without a word.
///
/// As JSON, what is not asked is left out: `{"list": "queue.upcoming", "consumed": "front"}`,
/// `{"list": "history", "key": "id", "trimmed": "front", "bound": 100}`.
///
/// Paths are written as in differences: names of members with dots between them; one with a dot or a space in
/// it in brackets and quotes (`bank["tea room"].items`). A state that is a list itself is `.`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GuardRule {
    /// The path of the list.
    pub list: String,
    /// The path, within an item, of what says which item it is: `id`, `info.identifier`. Items that lack it,
    /// and all items where no key is given, are the same where they are equal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// At this end items leave because they are used: a queue is consumed at its front.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consumed: Option<End>,
    /// This is the oldest end, where items leave because the list is bounded: `front` where new items are
    /// appended, `back` where they are put first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trimmed: Option<End>,
    /// How many items the list has when it is full; below that, nothing is trimmed by nature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound: Option<u32>,
}

impl GuardRule {
    /// Guards the list at `path`; nothing leaves it by nature, and items are the same where they are equal.
    #[must_use]
    pub fn new(path: impl Into<String>) -> Self {
        Self {
            list: path.into(),
            key: None,
            consumed: None,
            trimmed: None,
            bound: None,
        }
    }

    /// Items are the same where this member of theirs is.
    #[must_use]
    pub fn key(mut self, path: impl Into<String>) -> Self {
        self.key = Some(path.into());
        self
    }

    /// Items leave at this end because they are used.
    #[must_use]
    pub fn consumed(mut self, end: End) -> Self {
        self.consumed = Some(end);
        self
    }

    /// The oldest items are at this end, and leave there.
    #[must_use]
    pub fn trimmed(mut self, oldest: End) -> Self {
        self.trimmed = Some(oldest);
        self
    }

    /// The oldest items leave only when there are so many.
    #[must_use]
    pub fn bound(mut self, items: u32) -> Self {
        self.bound = Some(items);
        self
    }

    /// Checks that the paths are paths and that the rest makes sense.
    ///
    /// # Errors
    /// `InvalidInput`: the message names what to change.
    pub fn check(&self) -> Result<()> {
        let of = |e: Error| e.context(format!("the guard of '{}'", self.list.escape_debug()));
        path::parse(&self.list).map_err(|e| e.context("the list of a guard"))?;
        if let Some(key) = &self.key {
            let names = path::parse(key).map_err(|e| of(e.context("key")))?;
            if names.is_empty() {
                return Err(of(Error::invalid(
                    "key: '.' is the whole item; leave the key out, and items are the same where they are equal",
                )));
            }
        }
        match (self.bound, self.trimmed) {
            (Some(0), _) => Err(of(Error::invalid(
                "bound is 0, so everything may leave; leave the rule out",
            ))),
            (Some(_), None) => Err(of(Error::invalid(
                "bound says when the list is full, but not where items leave then; give trimmed: front where \
                 new items are appended, else back",
            ))),
            _ => Ok(()),
        }
    }

    /// Whether new items are put before older ones.
    pub(super) fn newest_first(&self) -> bool {
        self.trimmed == Some(End::Back)
    }

    /// The same list, of which nothing leaves by nature.
    pub(crate) fn without_nature(&self) -> Self {
        Self {
            consumed: None,
            trimmed: None,
            bound: None,
            ..self.clone()
        }
    }
}

/// The guard of the sessions of a pattern: which lists, and how many generations are kept how long.
///
/// As JSON: `{"pattern": "chat/*", "lists": [{"list": "messages", "key": "id"}], "generations": 5,
/// "max_age": "30 days"}`; the last two may be left out. Patterns are those of
/// [retention policies](crate::retention::Policy).
///
/// ```
/// use dalsegno::guard::{End, GuardPolicy, GuardRule};
///
/// let guard = GuardPolicy::new("bot/*")
///     .list(GuardRule::new("queue.upcoming").consumed(End::Front))
///     .list(GuardRule::new("queue.history").trimmed(End::Front).bound(100));
/// guard.check()?;
/// # Ok::<(), dalsegno::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GuardPolicy {
    /// Which sessions.
    pub pattern: String,
    /// Which of their lists.
    pub lists: Vec<GuardRule>,
    /// The newest so many generations of a session are kept; pinned ones are not counted.
    #[serde(default = "generations")]
    pub generations: u32,
    /// Older ones are not kept, unless they are pinned.
    #[serde(default = "max_age", with = "duration::required")]
    pub max_age: SignedDuration,
}

/// How many generations are kept where nothing else is said.
pub const GENERATIONS: u32 = 5;

/// How long they are kept where nothing else is said: 30 days.
pub const MAX_AGE: SignedDuration = SignedDuration::from_hours(30 * 24);

fn generations() -> u32 {
    GENERATIONS
}

fn max_age() -> SignedDuration {
    MAX_AGE
}

impl GuardPolicy {
    /// Guards no list yet, and keeps five generations for 30 days.
    #[must_use]
    pub fn new(pattern: impl Into<String>) -> Self {
        Self {
            pattern: pattern.into(),
            lists: Vec::new(),
            generations: GENERATIONS,
            max_age: MAX_AGE,
        }
    }

    /// Guards one more list.
    #[must_use]
    pub fn list(mut self, rule: GuardRule) -> Self {
        self.lists.push(rule);
        self
    }

    /// Keeps the newest so many generations.
    #[must_use]
    pub fn generations(mut self, count: u32) -> Self {
        self.generations = count;
        self
    }

    /// Keeps generations so long.
    #[must_use]
    pub fn max_age(mut self, age: SignedDuration) -> Self {
        self.max_age = age;
        self
    }

    /// Checks that the pattern can match a session, that every list is one, and that something is kept.
    ///
    /// # Errors
    /// `InvalidInput`: the message names what to change.
    pub fn check(&self) -> Result<()> {
        pattern::check(&self.pattern, "guard")?;
        let of = |e: Error| {
            let pattern = self.pattern.escape_debug();
            e.context(format!("the guard for '{pattern}'"))
        };
        let mut seen = HashSet::new();
        for rule in &self.lists {
            rule.check().map_err(of)?;
            if !seen.insert(path::parse(&rule.list)?) {
                return Err(of(Error::invalid(format!(
                    "the list {} is named twice; leave one of them out",
                    rule.list
                ))));
            }
        }
        if self.generations == 0 {
            return Err(of(Error::invalid(
                "generations is 0, so nothing would be kept; give 1 or more, or no lists to guard nothing",
            )));
        }
        duration::check(self.max_age).map_err(|e| of(e.context("max_age")))
    }

    /// Whether it is for `session`.
    #[must_use]
    pub fn matches(&self, session: &str) -> bool {
        pattern::matches(&self.pattern, session)
    }
}

/// The guard for `session`: of those whose pattern matches, the most specific, as
/// [retention](crate::retention::choose) has it. A guard without lists guards nothing, and says so for its
/// pattern.
#[must_use]
pub fn choose<'a>(guards: &'a [GuardPolicy], session: &str) -> Option<&'a GuardPolicy> {
    pattern::choose(guards, |guard| &guard.pattern, session)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn guard() -> GuardPolicy {
        GuardPolicy::new("bot/*").list(GuardRule::new("messages"))
    }

    #[test]
    fn odd_guards_are_refused_by_name() {
        let of = |rule| GuardPolicy::new("bot/*").list(rule);
        for (odd, said) in [
            (GuardPolicy::new("/bot"), "the pattern of a guard"),
            (
                GuardPolicy::new("bot/[0"),
                "the guard for 'bot/[0': the pattern is wrong",
            ),
            (
                of(GuardRule::new("a..b")),
                "the list of a guard: 'a..b' is no path",
            ),
            (
                of(GuardRule::new("a").key("b.")),
                "the guard of 'a': key: 'b.' is no path",
            ),
            (of(GuardRule::new("a").key(".")), "'.' is the whole item"),
            (of(GuardRule::new("a").bound(3)), "give trimmed: front"),
            (
                of(GuardRule::new("a").trimmed(End::Back).bound(0)),
                "bound is 0",
            ),
            (
                guard().list(GuardRule::new("[\"messages\"]")),
                "named twice",
            ),
            (guard().generations(0), "generations is 0"),
            (
                guard().max_age(SignedDuration::ZERO),
                "max_age: the duration is no time",
            ),
        ] {
            let error = odd.check().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert!(error.to_string().contains(said), "{error}");
        }
        guard().check().unwrap();
        GuardPolicy::new("**").check().unwrap();
    }

    #[test]
    fn json_is_what_people_write_and_nothing_else() {
        let short: GuardPolicy =
            serde_json::from_str(r#"{"pattern":"bot/*","lists":[{"list":"messages"}]}"#).unwrap();
        assert_eq!(short, guard());
        assert_eq!(
            (short.generations, short.max_age),
            (5, SignedDuration::from_hours(720))
        );
        let json = r#"{"pattern":"bot/*","lists":[{"list":"queue.upcoming","key":"id","consumed":"front","trimmed":"back","bound":9}],"generations":2,"max_age":"7 days"}"#;
        let full: GuardPolicy = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&full).unwrap(), json);
        for odd in [
            r#"{"pattern":"a","lists":[{"list":"b","x":1}]}"#,
            r#"{"pattern":"a","lists":[{"list":"b","consumed":"top"}]}"#,
            r#"{"pattern":"a","lists":[],"generations":-1}"#,
            r#"{"lists":[]}"#,
        ] {
            assert!(serde_json::from_str::<GuardPolicy>(odd).is_err(), "{odd}");
        }
    }

    #[test]
    fn the_most_specific_guard_wins() {
        let guards = ["**", "bot/*", "bot/42"].map(GuardPolicy::new);
        for (session, wanted) in [("chat", "**"), ("bot/7", "bot/*"), ("bot/42", "bot/42")] {
            assert_eq!(choose(&guards, session).unwrap().pattern, wanted);
        }
        assert_eq!(choose(guards.get(1..).unwrap(), "chat"), None);
    }
}
