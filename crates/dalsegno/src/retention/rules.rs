//! What is asked of a cleanup.

use jiff::SignedDuration;

use crate::duration;
use crate::error::{Error, Result};
use crate::model::Kind;

/// What to keep, and what to look at. [Module](super): what the rules promise.
///
/// As JSON, what is not asked is left out: `{"older_than": "7 days", "keep_daily": 30}`.
///
/// ```
/// use dalsegno::{parse_duration, retention::Rules};
///
/// let rules = Rules::new()
///     .older_than(parse_duration("7d")?)
///     .keep_last(10)
///     .keep_daily(30);
/// rules.check()?;
/// # Ok::<(), dalsegno::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rules {
    /// Only what was taken longer ago than this is deleted.
    #[serde(with = "duration::optional", skip_serializing_if = "Option::is_none")]
    pub older_than: Option<SignedDuration>,
    /// Keep the newest so many states.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_last: Option<u32>,
    /// Keep the last snapshot of each of the newest so many hours that have any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_hourly: Option<u32>,
    /// The same for days.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_daily: Option<u32>,
    /// The same for ISO weeks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_weekly: Option<u32>,
    /// The same for months.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_monthly: Option<u32>,
    /// Look only at snapshots of one of these kinds; empty means all but guard.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<Kind>,
    /// Look only at snapshots with all of these tags.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// The session may lose its newest state too.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub keep_nothing: bool,
}

impl Rules {
    /// Rules that ask for nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Delete only what was taken longer ago.
    #[must_use]
    pub fn older_than(mut self, age: SignedDuration) -> Self {
        self.older_than = Some(age);
        self
    }

    /// Keep the newest `states`.
    #[must_use]
    pub fn keep_last(mut self, states: u32) -> Self {
        self.keep_last = Some(states);
        self
    }

    /// Keep the last snapshot of each of the newest `hours` that have any.
    #[must_use]
    pub fn keep_hourly(mut self, hours: u32) -> Self {
        self.keep_hourly = Some(hours);
        self
    }

    /// Keep the last snapshot of each of the newest `days` that have any.
    #[must_use]
    pub fn keep_daily(mut self, days: u32) -> Self {
        self.keep_daily = Some(days);
        self
    }

    /// Keep the last snapshot of each of the newest ISO `weeks` that have any.
    #[must_use]
    pub fn keep_weekly(mut self, weeks: u32) -> Self {
        self.keep_weekly = Some(weeks);
        self
    }

    /// Keep the last snapshot of each of the newest `months` that have any.
    #[must_use]
    pub fn keep_monthly(mut self, months: u32) -> Self {
        self.keep_monthly = Some(months);
        self
    }

    /// Look at snapshots of this kind; of several where it is called again.
    #[must_use]
    pub fn kind(mut self, kind: Kind) -> Self {
        self.kinds.push(kind);
        self
    }

    /// Look only at snapshots with this tag; with all of them where it is called again.
    #[must_use]
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.tags.push(tag.into());
        self
    }

    /// The session may lose its newest state too. Alone, everything goes that is not pinned, a guard or
    /// left out by the filters.
    #[must_use]
    pub fn keep_nothing(mut self) -> Self {
        self.keep_nothing = true;
        self
    }

    /// Checks that the rules make sense. [`decide`](super::decide()) does it too.
    ///
    /// # Errors
    /// `InvalidInput` where nothing is asked, where nothing would be kept and `keep_nothing` does not say
    /// so, where rules contradict each other, or where a value is none. The message names the rule.
    pub fn check(&self) -> Result<()> {
        if let Some(age) = self.older_than {
            duration::check(age).map_err(|e| e.context("older_than"))?;
        }
        if self.tags.iter().any(|tag| tag.trim().is_empty()) {
            return Err(Error::invalid(
                "tags: one of them is empty; leave it out, or name a tag",
            ));
        }
        let keeps = self.keeps();
        if let Some((rule, _)) = keeps.first().filter(|_| self.keep_nothing) {
            return Err(Error::invalid(format!(
                "keep_nothing and {rule} contradict each other; leave one of them out"
            )));
        }
        let counted = self.kinds.is_empty() || self.kinds.iter().any(|kind| kind.is_history());
        if let Some((rule, _)) = keeps.first().filter(|_| !counted) {
            return Err(Error::invalid(format!(
                "{rule} counts no guard or safety snapshots, and kinds has nothing else; use older_than for these"
            )));
        }
        if self.older_than.is_some() || self.keep_nothing || !keeps.is_empty() {
            return Ok(());
        }
        if let Some((rule, _)) = self.numbers().iter().find(|(_, n)| n.is_some()) {
            return Err(Error::invalid(format!(
                "{rule} is 0 and nothing else is kept; give a larger number or older_than, or set keep_nothing \
                 if all may go, the newest state too"
            )));
        }
        Err(Error::invalid(
            "the rules say nothing about what to keep; give older_than, or one of keep_last, keep_hourly, \
             keep_daily, keep_weekly and keep_monthly",
        ))
    }

    /// The keep rules by name, asked or not.
    fn numbers(&self) -> [(&'static str, Option<u32>); 5] {
        [
            ("keep_last", self.keep_last),
            ("keep_hourly", self.keep_hourly),
            ("keep_daily", self.keep_daily),
            ("keep_weekly", self.keep_weekly),
            ("keep_monthly", self.keep_monthly),
        ]
    }

    /// The keep rules that keep anything: 0 is as good as not asked.
    pub(super) fn keeps(&self) -> Vec<(&'static str, u32)> {
        let numbers = self.numbers().into_iter();
        numbers
            .filter_map(|(rule, n)| Some((rule, n.filter(|n| *n > 0)?)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    const WEEK: SignedDuration = SignedDuration::from_hours(168);

    #[test]
    fn sensible_rules_pass() {
        for rules in [
            Rules::new().older_than(WEEK),
            Rules::new().keep_last(1),
            Rules::new().older_than(WEEK).keep_last(0),
            Rules::new()
                .keep_daily(7)
                .keep_last(0)
                .kind(Kind::Auto)
                .tag("x"),
            Rules::new().keep_nothing(),
            Rules::new().keep_nothing().keep_last(0).older_than(WEEK),
            Rules::new().keep_last(3).kind(Kind::Guard).kind(Kind::Auto),
            Rules::new().older_than(WEEK).kind(Kind::Safety),
        ] {
            rules.check().unwrap();
        }
    }

    #[test]
    fn odd_rules_are_refused_by_name() {
        for (rules, said) in [
            (Rules::new(), "give older_than, or one of keep_last"),
            (Rules::new().kind(Kind::Auto).tag("x"), "say nothing"),
            (Rules::new().keep_weekly(0), "keep_weekly is 0"),
            (Rules::new().keep_weekly(0), "set keep_nothing"),
            (
                Rules::new().older_than(SignedDuration::ZERO),
                "older_than: the duration is no time at all",
            ),
            (
                Rules::new().older_than(-WEEK),
                "older_than: the duration is negative",
            ),
            (
                Rules::new().older_than(SignedDuration::MAX),
                "older_than: the duration is longer",
            ),
            (
                Rules::new().keep_nothing().keep_monthly(1),
                "keep_nothing and keep_monthly contradict",
            ),
            (Rules::new().keep_last(1).tag(" "), "tags"),
            (
                Rules::new()
                    .keep_last(1)
                    .kind(Kind::Safety)
                    .kind(Kind::Guard),
                "keep_last counts no guard or safety",
            ),
        ] {
            let error = rules.check().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert!(error.to_string().contains(said), "{error}");
        }
    }

    #[test]
    fn json_is_what_people_write_and_nothing_else() {
        let rules = Rules::new()
            .older_than(WEEK)
            .keep_daily(30)
            .kind(Kind::Auto);
        let json = serde_json::to_string(&rules).unwrap();
        assert_eq!(
            json,
            r#"{"older_than":"7 days","keep_daily":30,"kinds":["auto"]}"#
        );
        assert_eq!(serde_json::from_str::<Rules>(&json).unwrap(), rules);
        assert_eq!(serde_json::from_str::<Rules>("{}").unwrap(), Rules::new());
        let short: Rules = serde_json::from_str(r#"{"older_than":"1 week"}"#).unwrap();
        assert_eq!(short, Rules::new().older_than(WEEK));
        // What makes no sense is read, so that `check` can say which rule it is.
        let negative: Rules = serde_json::from_str(r#"{"older_than":"-7d"}"#).unwrap();
        assert!(negative.check().is_err());
        for odd in [
            r#"{"keep_lats":1}"#,
            r#"{"keep_last":-1}"#,
            r#"{"older_than":7}"#,
            r#"{"older_than":"soon"}"#,
            r#"{"kinds":["autos"]}"#,
        ] {
            assert!(serde_json::from_str::<Rules>(odd).is_err(), "{odd}");
        }
    }
}
