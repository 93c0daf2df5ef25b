//! Rules for the sessions of a pattern.

use std::cmp::Reverse;

use glob::{MatchOptions, Pattern};
use jiff::SignedDuration;

use super::rules::Rules;
use crate::duration;
use crate::error::{Error, Result};
use crate::model::check_session_name;

/// As file names are matched, but that nothing is hidden.
const OPTIONS: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: false,
};

/// The characters that patterns are made with.
const WILD: [char; 3] = ['*', '?', '['];

/// What is kept of the sessions that a pattern names.
///
/// As JSON: `{"pattern": "bot/*", "rules": {"keep_daily": 30}, "grace": "7 days"}`.
///
/// In a pattern, `*` is any text without `/`, `?` one character, `[abc]` one of these, and `**`, alone
/// between slashes, any number of parts: `bot/*` is `bot/42`, `bot/**` is `bot/42/queue` too, `**` is every
/// session. `[*]` is a star. A pattern that is the name of a session, letter by letter, means that session too.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Which sessions.
    pub pattern: String,
    /// What is kept of them.
    pub rules: Rules,
    /// How long what is deleted stays in the trash; none: as long as the store says, zero: no time.
    #[serde(
        default,
        with = "duration::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub grace: Option<SignedDuration>,
}

impl Policy {
    /// Rules for the sessions of `pattern`, with the store's grace.
    #[must_use]
    pub fn new(pattern: impl Into<String>, rules: Rules) -> Self {
        Self {
            pattern: pattern.into(),
            rules,
            grace: None,
        }
    }

    /// How long what is deleted stays in the trash.
    #[must_use]
    pub fn grace(mut self, grace: SignedDuration) -> Self {
        self.grace = Some(grace);
        self
    }

    /// Checks that the pattern can match a session and that the rules make sense.
    ///
    /// # Errors
    /// `InvalidInput`: the message names what to change.
    pub fn check(&self) -> Result<()> {
        let of = |e: Error| e.context(format!("the policy for '{}'", self.pattern.escape_debug()));
        // Where no session can have such a name, the policy would silently do nothing.
        check_session_name(&self.pattern).map_err(|e| e.context("the pattern of a policy"))?;
        Pattern::new(&self.pattern).map_err(|e| {
            of(Error::invalid(format!(
                "the pattern is wrong: {}; write * or ? for a part of a name, ** alone between slashes \
                 for any parts, [[] for a bracket",
                e.msg
            )))
        })?;
        self.rules.check().map_err(of)?;
        match self.grace {
            Some(grace) if !grace.is_zero() => {
                duration::check(grace).map_err(|e| of(e.context("grace")))
            }
            _ => Ok(()),
        }
    }

    /// Whether it is for `session`. A pattern that [`check`](Self::check) refuses is for no session but the
    /// one of exactly this name.
    #[must_use]
    pub fn matches(&self, session: &str) -> bool {
        self.pattern == session
            || Pattern::new(&self.pattern)
                .is_ok_and(|pattern| pattern.matches_with(session, OPTIONS))
    }

    /// Larger where more is said of the name.
    fn specificity(&self, session: &str) -> (bool, usize, Reverse<usize>) {
        (
            self.pattern == session,
            literals(&self.pattern),
            Reverse(self.pattern.split('/').filter(|p| *p == "**").count()),
        )
    }
}

/// The characters of a pattern that are those of the name.
fn literals(pattern: &str) -> usize {
    let mut rest = pattern;
    let mut count = 0;
    while let Some(first) = rest.chars().next() {
        let len = if first == '[' {
            // A bracket may be the first character within: `[]]`, `[!]]`.
            let from = if rest.starts_with("[!") { 3 } else { 2 };
            let end = rest.char_indices().skip(from).find(|(_, c)| *c == ']');
            end.map_or(rest.len(), |(at, _)| at + 1)
        } else {
            count += usize::from(!WILD.contains(&first));
            first.len_utf8()
        };
        rest = rest.get(len..).unwrap_or_default();
    }
    count
}

/// The policy for `session`: of those whose pattern matches, the most specific.
///
/// The session's exact name comes first, then the pattern with the most characters that are no wildcards
/// (`bot/4*` before `bot/*`), then the one with fewer `**` (`bot/*` before `bot/**`), then the one that sorts
/// first. Of equal patterns it is the first given.
#[must_use]
pub fn choose<'a>(policies: &'a [Policy], session: &str) -> Option<&'a Policy> {
    policies
        .iter()
        .filter(|policy| policy.matches(session))
        .min_by_key(|policy| (Reverse(policy.specificity(session)), &policy.pattern))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn policy(pattern: &str) -> Policy {
        Policy::new(pattern, Rules::new().keep_last(1))
    }

    #[test]
    fn patterns() {
        for (pattern, sessions, others) in [
            ("bot/42", &["bot/42"][..], &["bot/4", "bot/421"][..]),
            (
                "bot/*",
                &["bot/42", "bot/.x"],
                &["bot", "bot/42/queue", "bots/42", "Bot/42"],
            ),
            ("bot/**", &["bot/42", "bot/42/queue"], &["bot", "bots/42"]),
            ("**", &["bot", "bot/42", "a/b/c"], &[]),
            ("*", &["bot"], &["bot/42"]),
            ("**/queue", &["queue", "bot/42/queue"], &["bot/queues"]),
            ("bot/?", &["bot/4", "bot/ä"], &["bot/42", "bot"]),
            ("bot/[0-9]*", &["bot/42"], &["bot/x"]),
            ("chat [1]", &["chat [1]", "chat 1"], &["chat 2"]),
            ("chat [1", &["chat [1"], &["chat 1"]),
            ("a[*]b", &["a*b"], &["axb"]),
        ] {
            for session in sessions {
                assert!(policy(pattern).matches(session), "{pattern} is {session}");
            }
            for session in others {
                assert!(
                    !policy(pattern).matches(session),
                    "{pattern} is not {session}"
                );
            }
        }
    }

    #[test]
    fn a_pattern_of_many_wildcards_does_not_take_for_ever() {
        let steps = "**/a/".repeat(40) + "b";
        assert!(!policy(&steps).matches(&("a/".repeat(120) + "c")));
        let stars = "*a".repeat(60) + "b";
        assert!(!policy(&stars).matches(&"a".repeat(255)));
    }

    #[test]
    fn the_most_specific_wins_whatever_the_order() {
        let mut policies = [
            "**",
            "bot/**",
            "bot/*",
            "bot/4*",
            "*/42",
            "bot/[0-9][0-9]",
            "bot/?2",
        ]
        .map(policy)
        .to_vec();
        for _ in 0..2 {
            for (session, wanted) in [
                ("chat", Some("**")),
                ("bot/7/queue", Some("bot/**")),
                ("bot/7", Some("bot/*")),
                ("bot/47", Some("bot/4*")),
                ("chat/42", Some("*/42")),
                ("bot/4", Some("bot/4*")),
                // As many literal characters: the pattern that sorts first, '4' before '?'.
                ("bot/42", Some("bot/4*")),
                ("bot/72", Some("bot/?2")),
            ] {
                let chosen = choose(&policies, session).map(|p| p.pattern.as_str());
                assert_eq!(chosen, wanted, "{session}");
            }
            policies.reverse();
        }
        policies.push(policy("bot/42"));
        assert_eq!(choose(&policies, "bot/42").unwrap().pattern, "bot/42");
        policies.push(policy("bot/[4]2"));
        assert_eq!(choose(&policies, "bot/[4]2").unwrap().pattern, "bot/[4]2");
        // A name that looks like a pattern is still the exact one.
        let odd = ["chat ??]", "chat [1]"].map(policy);
        assert_eq!(choose(&odd, "chat [1]").unwrap().pattern, "chat [1]");
        assert_eq!(choose(&policies[..0], "bot/42"), None);
        assert_eq!(choose(&[policy("bot/*")], "chat"), None);
    }

    #[test]
    fn what_counts_as_literal() {
        for (pattern, count) in [
            ("**", 0),
            ("bot/*", 4),
            ("b?t", 2),
            ("a[bc]d", 2),
            ("a[]]d", 2),
            ("a[!]]d", 2),
            ("a[ä]ö", 2),
            ("a[b", 1),
        ] {
            assert_eq!(literals(pattern), count, "{pattern}");
        }
    }

    #[test]
    fn odd_policies_are_refused() {
        for (odd, said) in [
            (policy(""), "the pattern of a policy"),
            (policy("/bot"), "empty part"),
            (policy("bot//*"), "empty part"),
            (policy(&"x".repeat(300)), "limit is 255"),
            (policy("ä/b**"), "must form a single path component"),
            (policy("a/***"), "pattern is wrong: wildcards"),
            (policy("bot/[0"), "[[] for a bracket"),
            (
                Policy::new("bot/*", Rules::new()),
                "the policy for 'bot/*': the rules say nothing",
            ),
            (policy("a").grace(SignedDuration::from_secs(-1)), "grace: "),
            (policy("a").grace(SignedDuration::MAX), "'a': grace: "),
        ] {
            let error = odd.check().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert!(error.to_string().contains(said), "{error}");
        }
        for fine in ["bot/*", "**", "**/x/**", "a/?[x]*"] {
            policy(fine).check().unwrap();
            policy(fine).grace(SignedDuration::ZERO).check().unwrap();
        }
    }

    #[test]
    fn json_of_a_policy() {
        let json = r#"{"pattern":"bot/*","rules":{"keep_daily":30},"grace":"7 days"}"#;
        let policy: Policy = serde_json::from_str(json).unwrap();
        assert_eq!(policy.grace, Some(SignedDuration::from_hours(168)));
        assert_eq!(serde_json::to_string(&policy).unwrap(), json);
        let short: Policy = serde_json::from_str(r#"{"pattern":"a","rules":{}}"#).unwrap();
        assert_eq!(short, Policy::new("a", Rules::new()));
        assert!(serde_json::from_str::<Policy>(r#"{"pattern":"a","rules":{},"x":1}"#).is_err());
    }

    proptest::proptest! {
        #[test]
        fn any_pattern_is_checked_and_matched(pattern in "[a/*?\\[\\]!\\-]{0,30}", session in "[a/]{0,60}") {
            let policy = policy(&pattern);
            let _ = policy.check();
            let _ = policy.matches(&session);
            literals(&pattern);
        }
    }
}
